#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

void nv_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

bool nv_secret_eq(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *const left = (const volatile uint8_t *)a;
    const volatile uint8_t *const right = (const volatile uint8_t *)b;
    uint32_t different = 0;
    for (size_t i = 0; i < size; i++) {
        different |= (uint32_t)left[i] ^ (uint32_t)right[i];
    }
    return different == 0;
}

void *nv_secret_open(size_t size)
{
    void *const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (mlock(memory, size) != 0 || madvise(memory, size, MADV_DONTDUMP) != 0) {
        munmap(memory, size);
        return NULL;
    }
    return memory;
}

void nv_secret_close(void *memory, size_t size)
{
    if (memory == NULL) {
        return;
    }
    nv_wipe(memory, size);
    munmap(memory, size);
}
