#ifndef NV_BASE_PURE_H
#define NV_BASE_PURE_H

/* pure.h - the gate of the deterministic code.
 *
 * Included last in a pure .c file: from here on clocks, randomness, the heap,
 * files, threads, the environment, printing and floating point do not
 * compile.  What it cannot see (a macro that was defined earlier, a symbol the
 * compiler emits) the check of undefined symbols finds.
 *
 * A struct field that is called like a poisoned name does not compile either:
 * call it time_ms, not time. */

/* floating point */
#pragma GCC poison float double _Complex strtod strtof strtold atof
/* clocks */
#pragma GCC poison time clock gettimeofday clock_gettime localtime gmtime gmtime_r localtime_r
#pragma GCC poison nanosleep usleep sleep timespec_get strftime
/* heap */
#pragma GCC poison malloc calloc realloc reallocarray free alloca aligned_alloc posix_memalign
#pragma GCC poison mmap munmap sbrk strdup strndup
/* randomness, order by anything but bytes */
#pragma GCC poison rand srand srandom rand_r drand48 getrandom getentropy qsort bsearch
/* environment, locale, process */
#pragma GCC poison getenv setenv putenv setlocale localeconv getpid exit _exit abort fork
#pragma GCC poison setjmp longjmp errno
/* printing, files and sockets */
#pragma GCC poison printf fprintf sprintf snprintf vprintf vfprintf vsprintf vsnprintf puts putchar
#pragma GCC poison fputs fopen fdopen fclose fread fwrite scanf fscanf sscanf perror stderr stdout
#pragma GCC poison openat pread pwrite fsync fdatasync
/* string functions without a size, or with a locale */
#pragma GCC poison strcpy strcat strtok strtok_r gets atoi atol atoll strcoll strxfrm
/* threads */
#pragma GCC poison pthread_create pthread_mutex_lock pthread_mutex_unlock pthread_once
#pragma GCC poison pthread_self pthread_join

#endif /* NV_BASE_PURE_H */
