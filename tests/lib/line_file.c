#include "tests/lib/line_file.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/nv_test.h"

bool nv_test_line_read(FILE *file, struct nv_test_line *line)
{
    char text[256];
    if (fgets(text, sizeof text, file) == NULL) {
        return false;
    }
    char *at = text;
    memset(line, 0, sizeof *line);
    size_t const word = strcspn(text, " \n");
    assert_in_range(word, 1, sizeof line->word - 1);
    memcpy(line->word, text, word);
    at += word;
    while (*at == ' ') {
        assert_in_range(line->count, 0, NV_TEST_LINE_NUMBERS - 1);
        line->n[line->count] = strtoll(at, &at, 10);
        line->count++;
    }
    assert_int_equal(*at, '\n');
    return true;
}
