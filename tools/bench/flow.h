#ifndef NV_TOOLS_BENCH_FLOW_H
#define NV_TOOLS_BENCH_FLOW_H

/* flow.h - order flow from a CSV file: time,account,book,action,side,price,qty,id.
 *
 * Lines that begin with '#' and the header line are passed by.  action A is a
 * limit order that rests, X one that takes, C cancels the order `id`.  Accounts,
 * books and ids are small whole numbers; the time is not used. */

#include <stdbool.h>
#include <stdint.h>

#include "tools/say.h"

enum flow_action { FLOW_ADD = 1, FLOW_TAKE = 2, FLOW_CANCEL = 3 };

struct flow_op {
    uint32_t account;
    uint32_t id;
    uint16_t book;
    uint8_t action; /* enum flow_action */
    bool buys;
    uint32_t price; /* ticks */
    uint32_t lots;
};

/* Owned: give it back with flow_close. */
struct flow {
    struct flow_op *op;
    uint32_t count;
    uint32_t cap;
    uint32_t account_count; /* one above the largest */
    uint32_t book_count;
    uint32_t id_count;
};

/* flow_open reads a whole file; TOOL_FAILED after saying what is wrong where. */
enum tool_exit flow_open(struct flow *flow, const char *path);
void flow_close(struct flow *flow);

#endif /* NV_TOOLS_BENCH_FLOW_H */
