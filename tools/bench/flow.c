#include "tools/bench/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#define LINE_MAX_SIZE 256
#define FIELDS        8u
#define ACCOUNT_MAX   999999u
#define BOOK_MAX      63999u
#define NUMBER_MAX    99999999u

/* fields_of splits a line at its commas; false unless there are all. */
static bool fields_of(char *line, char *field[FIELDS])
{
    uint32_t count = 0;
    char *at = line;
    while (count < FIELDS) {
        field[count] = at;
        count++;
        char *const comma = strchr(at, ',');
        if (comma == NULL) {
            break;
        }
        *comma = '\0';
        at = comma + 1;
    }
    return count == FIELDS && strchr(field[FIELDS - 1], ',') == NULL;
}

static bool number_of(const char *text, uint32_t max, uint32_t *out)
{
    char *end = NULL;
    unsigned long const value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value > max) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static uint8_t action_of(const char *text)
{
    if (strcmp(text, "A") == 0) {
        return FLOW_ADD;
    }
    if (strcmp(text, "X") == 0) {
        return FLOW_TAKE;
    }
    return strcmp(text, "C") == 0 ? FLOW_CANCEL : 0;
}

static bool op_of(char *line, struct flow_op *op)
{
    char *field[FIELDS];
    uint32_t book = 0;
    if (!fields_of(line, field)) {
        return false;
    }
    op->action = action_of(field[3]);
    op->buys = strcmp(field[4], "B") == 0;
    bool const side_ok = op->buys || strcmp(field[4], "S") == 0;
    bool const ok =
        number_of(field[1], ACCOUNT_MAX, &op->account) && number_of(field[2], BOOK_MAX, &book) &&
        number_of(field[5], NUMBER_MAX, &op->price) && number_of(field[6], NUMBER_MAX, &op->lots) &&
        number_of(field[7], NUMBER_MAX, &op->id);
    op->book = (uint16_t)book;
    return ok && side_ok && op->action != 0;
}

static bool grow(struct flow *flow)
{
    if (flow->count < flow->cap) {
        return true;
    }
    uint32_t const cap = flow->cap == 0 ? 1u << 16 : flow->cap * 2;
    struct flow_op *const wider = nv_heap_alloc((size_t)cap * sizeof *wider);
    if (wider == NULL) {
        return false;
    }
    if (flow->count > 0) {
        memcpy(wider, flow->op, (size_t)flow->count * sizeof *wider);
    }
    nv_heap_free(flow->op);
    flow->op = wider;
    flow->cap = cap;
    return true;
}

static uint32_t above(uint32_t count, uint32_t index)
{
    return index >= count ? index + 1 : count;
}

static bool append(struct flow *flow, const struct flow_op *op)
{
    if (!grow(flow)) {
        return false;
    }
    flow->op[flow->count] = *op;
    flow->count++;
    flow->account_count = above(flow->account_count, op->account);
    flow->book_count = above(flow->book_count, op->book);
    flow->id_count = above(flow->id_count, op->id);
    return true;
}

static enum tool_exit read_lines(struct flow *flow, FILE *file, const char *path)
{
    char line[LINE_MAX_SIZE];
    uint32_t number = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        struct flow_op op = {0};
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#' || strncmp(line, "time,", 5) == 0) {
            continue;
        }
        if (!op_of(line, &op)) {
            return tool_fail(TOOL_FAILED,
                             "A line is time,account,book,action,side,price,qty,id.",
                             NULL,
                             "%s line %u is not order flow",
                             path,
                             number);
        }
        if (!append(flow, &op)) {
            return tool_fail(TOOL_FAILED, NULL, NULL, "not enough memory for %s", path);
        }
    }
    if (flow->count == 0) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "%s holds no orders", path);
    }
    return TOOL_OK;
}

enum tool_exit flow_open(struct flow *flow, const char *path)
{
    *flow = (struct flow){0};
    FILE *const file = fopen(path, "r");
    if (file == NULL) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "%s cannot be read", path);
    }
    enum tool_exit const code = read_lines(flow, file, path);
    (void)fclose(file);
    if (code != TOOL_OK) {
        flow_close(flow);
    }
    return code;
}

void flow_close(struct flow *flow)
{
    nv_heap_free(flow->op);
    *flow = (struct flow){0};
}
