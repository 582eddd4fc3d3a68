#ifndef NV_TESTS_LIB_LINE_FILE_H
#define NV_TESTS_LIB_LINE_FILE_H

/* line_file.h - golden files of lines: a word, then numbers in decimal. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NV_TEST_LINE_NUMBERS 8u

struct nv_test_line {
    char word[16];
    int64_t n[NV_TEST_LINE_NUMBERS];
    uint32_t count;
};

/* nv_test_line_read reads the next line; false at the end of the file. */
bool nv_test_line_read(FILE *file, struct nv_test_line *line);

#endif /* NV_TESTS_LIB_LINE_FILE_H */
