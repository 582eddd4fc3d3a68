/* replay.c - runs a fuzz target over its corpus without a fuzzer.
 *
 * Goal: an input that once broke a decoder never breaks it again.
 * Method: linked with one fuzz_<name>.c, the program feeds it the empty input, each file of the
 * folders and files named on its command line, and every prefix of those up to PREFIXES_MAX bytes.
 * It fails by crashing, as the target does, and also when a named file cannot be read. */

#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX    (1u << 20)
#define PREFIXES_MAX 512u
#define PATH_SIZE    4096u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t input[INPUT_MAX];
static uint32_t files_run;

static void run_copy(size_t size)
{
    /* A copy of exactly this size lets a sanitizer see a read past the end. */
    uint8_t *const copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, input, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    size_t const size = fread(input, 1, sizeof input, file);
    (void)fclose(file);
    for (size_t prefix = 0; prefix < size && prefix < PREFIXES_MAX; prefix++) {
        run_copy(prefix);
    }
    run_copy(size);
    files_run++;
    return 0;
}

static int run_folder(DIR *folder, const char *path)
{
    int failed = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[PATH_SIZE];
        if (entry->d_name[0] == '.') {
            continue;
        }
        int const size = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (size < 0 || (size_t)size >= sizeof name) {
            return 1;
        }
        failed |= run_file(name);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    run_copy(0);
    for (int i = 1; i < argc; i++) {
        DIR *const folder = opendir(argv[i]);
        if (folder == NULL) {
            failed |= run_file(argv[i]);
            continue;
        }
        failed |= run_folder(folder, argv[i]);
        (void)closedir(folder);
    }
    /* The shape that tests/run.sh counts. */
    printf("%s 1 - replay of %" PRIu32 " inputs\n", failed != 0 ? "not ok" : "ok", files_run);
    return failed;
}
