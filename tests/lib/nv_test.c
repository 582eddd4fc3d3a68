#include "tests/lib/nv_test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t nv_test_next(struct nv_test_rng *rng)
{
    rng->state += 0x9e3779b97f4a7c15u;
    uint64_t z = rng->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t nv_test_below(struct nv_test_rng *rng, uint32_t bound)
{
    return (uint32_t)((nv_test_next(rng) >> 32) % bound);
}

void nv_test_fill(struct nv_test_rng *rng, void *out, size_t size)
{
    uint8_t *const bytes = (uint8_t *)out;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(nv_test_next(rng) >> 56);
    }
}

static uint32_t digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    char const lower = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    const char *const found = lower != '\0' ? strchr(digits, lower) : NULL;
    if (found == NULL) {
        fail_msg("'%c' is no hex digit", c);
        return 0;
    }
    return (uint32_t)(found - digits);
}

uint8_t *nv_test_hex(uint8_t *out, size_t size, const char *text)
{
    assert_int_equal(strlen(text), 2 * size);
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return out;
}

bool nv_test_dies(nv_test_fn fn, void *ctx)
{
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* cmocka and the sanitizers would catch the signal and go on. */
        signal(SIGABRT, SIG_DFL);
        int const nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        fn(ctx);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WIFEXITED(status));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
