#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

void nv_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
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
