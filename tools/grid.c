#include "tools/grid.h"

#include <string.h>

#include "base/int.h"

#include "vm/tx.h"

#define SIZE_SCALE INT64_C(1000000000) /* 10^GRID_SIZE_PLACES */
#define PPB        INT64_C(1000000000)

enum nv_err grid_make(struct tool_grid *out, const char *tick_size, const char *tick_value)
{
    char canonical[NV_DECIMAL_TEXT];
    int64_t tick = 0;
    int64_t value = 0;
    if (nv_decimal_parse(&tick, canonical, nv_view_of_text(tick_size), NV_MICRO_PLACES) != NV_OK ||
        nv_decimal_parse(&value, canonical, nv_view_of_text(tick_value), NV_MICRO_PLACES) !=
            NV_OK ||
        tick <= 0 || value <= 0 || tick % value != 0) {
        return NV_ERR_CORRUPT;
    }
    *out = (struct tool_grid){tick, tick / value};
    return NV_OK;
}

/* read_decimal reads a decimal; GRID_OK or what is wrong with its form. */
static enum grid_fit read_decimal(int64_t *out, char *nearest, const char *text, uint32_t places)
{
    enum nv_err const err = nv_decimal_parse(out, nearest, nv_view_of_text(text), places);
    if (err == NV_OK) {
        nearest[0] = '\0';
        return GRID_OK;
    }
    return nearest[0] != '\0' ? GRID_NOT_CANONICAL : GRID_NO_NUMBER;
}

/* nearest_step returns the whole number nearest to a / b, of equal ones the
 * greater, b > 0. */
static int64_t nearest_step(nv_i128 a, int64_t b)
{
    nv_i128 below = 0;
    int64_t out = 0;
    if (!nv_div_i128(2 * a + b, 2 * (nv_i128)b, NV_ROUND_FLOOR, &below) ||
        !nv_narrow_try_i64(below, &out)) {
        return 0;
    }
    return out;
}

enum grid_fit
grid_lots(int64_t *lots, char *nearest, const struct tool_grid *grid, const char *text)
{
    int64_t size = 0;
    enum grid_fit const fit = read_decimal(&size, nearest, text, GRID_SIZE_PLACES);
    if (fit != GRID_OK) {
        return fit;
    }
    nv_i128 const scaled = (nv_i128)size * grid->lots_per_unit;
    int64_t const whole = nearest_step(scaled, SIZE_SCALE);
    if (size <= 0 || whole > VM_SIZE_MAX) {
        return GRID_RANGE;
    }
    if ((nv_i128)whole * SIZE_SCALE != scaled) {
        grid_size(nearest, grid, whole > 0 ? whole : 1);
        return GRID_BETWEEN;
    }
    *lots = whole;
    return GRID_OK;
}

enum grid_fit
grid_ticks(int64_t *ticks, char *nearest, const struct tool_grid *grid, const char *text)
{
    int64_t micro = 0;
    enum grid_fit const fit = read_decimal(&micro, nearest, text, NV_MICRO_PLACES);
    if (fit != GRID_OK) {
        return fit;
    }
    int64_t const whole = nearest_step(micro, grid->tick_micro);
    if (whole < -VM_TICKS_MAX || whole > VM_TICKS_MAX) {
        return GRID_RANGE;
    }
    if ((nv_i128)whole * grid->tick_micro != micro) {
        grid_price(nearest, grid, whole);
        return GRID_BETWEEN;
    }
    *ticks = whole;
    return GRID_OK;
}

enum grid_fit grid_micro(int64_t *micro, char *nearest, const char *text)
{
    int64_t amount = 0;
    enum grid_fit const fit = read_decimal(&amount, nearest, text, NV_MICRO_PLACES);
    if (fit != GRID_OK) {
        return fit;
    }
    if (amount <= 0 || amount > VM_AMOUNT_MAX) {
        return GRID_RANGE;
    }
    *micro = amount;
    return GRID_OK;
}

static void dash(char *out)
{
    memcpy(out, "-", 2);
}

void grid_size(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t lots)
{
    /* Exact where one lot is exact, else the first 9 places. */
    int64_t power = 1;
    uint32_t places = 0;
    int64_t scaled = 0;
    while (power % grid->lots_per_unit != 0 && places < GRID_SIZE_PLACES) {
        power *= 10;
        places++;
    }
    if (nv_muldiv_i64(lots, power, grid->lots_per_unit, NV_ROUND_ZERO, &scaled)) {
        nv_decimal_format(out, scaled, places);
    } else {
        dash(out);
    }
}

static void money(char *out, int64_t count, int64_t each_micro)
{
    int64_t micro = 0;
    if (nv_mul_i64(count, each_micro, &micro)) {
        nv_decimal_format(out, micro, NV_MICRO_PLACES);
    } else {
        dash(out);
    }
}

void grid_price(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t ticks)
{
    money(out, ticks, grid->tick_micro);
}

void grid_per_lot(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t micro)
{
    money(out, micro, grid->lots_per_unit);
}

bool grid_limit(
    int64_t *ticks, const struct tool_grid *grid, int64_t micro, int64_t ppb, bool buying)
{
    int64_t away = 0;
    int64_t limit = 0;
    int64_t whole = 0;
    if (!nv_abs_i64(micro, &away) || !nv_muldiv_i64(away, ppb, PPB, NV_ROUND_FLOOR, &away)) {
        return false;
    }
    bool const fits = buying ? nv_add_i64(micro, away, &limit) : nv_sub_i64(micro, away, &limit);
    enum nv_round const round = buying ? NV_ROUND_FLOOR : NV_ROUND_CEIL;
    if (!fits || !nv_div_i64(limit, grid->tick_micro, round, &whole) || whole < -VM_TICKS_MAX ||
        whole > VM_TICKS_MAX) {
        return false;
    }
    *ticks = whole;
    return true;
}
