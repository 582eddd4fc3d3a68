#include "tools/cli/table.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *cell(const json_t *rows, size_t row, size_t column)
{
    const char *const text = json_string_value(json_array_get(json_array_get(rows, row), column));
    return text != NULL ? text : "-";
}

static bool right(const char *head)
{
    return head[0] == '>';
}

static const char *head_text(const char *head)
{
    return right(head) ? head + 1 : head;
}

static void print_cell(const char *text, int width, bool at_right, bool last)
{
    if (at_right) {
        (void)printf("%*s", width, text);
    } else if (last) {
        (void)printf("%s", text);
    } else {
        (void)printf("%-*s", width, text);
    }
    (void)printf("%s", last ? "\n" : "  ");
}

void cli_table(const char *const *heads, const json_t *rows)
{
    int width[CLI_TABLE_COLUMNS] = {0};
    size_t columns = 0;
    for (; heads[columns] != NULL && columns < CLI_TABLE_COLUMNS; columns++) {
        width[columns] = (int)strlen(head_text(heads[columns]));
        for (size_t row = 0; row < json_array_size(rows); row++) {
            int const size = (int)strlen(cell(rows, row, columns));
            width[columns] = size > width[columns] ? size : width[columns];
        }
    }
    for (size_t i = 0; i < columns; i++) {
        print_cell(head_text(heads[i]), width[i], right(heads[i]), i + 1 == columns);
    }
    for (size_t row = 0; row < json_array_size(rows); row++) {
        for (size_t i = 0; i < columns; i++) {
            print_cell(cell(rows, row, i), width[i], right(heads[i]), i + 1 == columns);
        }
    }
}

void cli_pair(const char *name, const char *value)
{
    (void)printf("%-20s%s\n", name, value);
}

bool cli_live(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

const char *cli_colour(enum cli_colour colour)
{
    if (!cli_live() || getenv("NO_COLOR") != NULL) {
        return "";
    }
    switch (colour) {
    case CLI_GREEN: return "\033[32m";
    case CLI_RED: return "\033[31m";
    case CLI_DIM: return "\033[2m";
    case CLI_PLAIN: return "\033[0m";
    }
    return "";
}
