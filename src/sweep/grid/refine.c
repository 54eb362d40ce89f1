/* Adaptive refinement of a product grid by bisection.
 *
 * The finest lattice has (c_g - 1) 2^L + 1 points along factor g. A cell of level l has side 2^(L - l) of it; the cells
 * of level 0 are those between the points as written. A cell is split if the values known on it, at its corners and
 * at the points of half its side, are not all alike: then all its 3^D points of half a side are computed, and its 2^D
 * halves become cells of the next level. Points on a face belong to the cells of both sides, so a boundary that leaves
 * a split cell through a face splits the neighbour too, on whatever level that is. This is repeated until nothing
 * splits. Which points are computed depends on the values alone, not on the order of computation.
 */
#include "sweep/grid/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FACTORS = 5 };

typedef struct known {
    uint64_t position; // UINT64_MAX: free
    uint64_t text;     // hash of a text, 0: a number or nothing
    double number;     // NaN: a text or nothing
} known;

typedef struct cell {
    uint64_t corner; // position of its lowest corner
    bool split;
} cell;

typedef struct cell_list {
    cell *items;
    size_t count, capacity;
} cell_list;

struct sf_refinement {
    sf_context *context;
    sf_sweep *sweep;
    size_t factors;
    uint64_t stride[MOST_FACTORS]; // in position, of one lattice step
    known *table;                  // open addressing
    size_t slots, used;
    cell_list level[SF_GRID_MAX_LEVELS + 1];
    uint64_t *list; // positions asked for
    size_t count, capacity;
    bool started;
};

/* ---- values known --------------------------------------------------------------------------------------- */

static size_t slot_of(const sf_refinement *refinement, uint64_t position)
{
    size_t slot = (size_t)(position * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (refinement->slots - 1);
    while (refinement->table[slot].position != UINT64_MAX && refinement->table[slot].position != position)
        slot = (slot + 1) & (refinement->slots - 1);
    return slot;
}

static const known *find(const sf_refinement *refinement, uint64_t position)
{
    const known *entry = &refinement->table[slot_of(refinement, position)];
    return entry->position == position ? entry : NULL;
}

static sf_status grow_table(sf_refinement *refinement)
{
    if (2 * (refinement->used + 1) <= refinement->slots)
        return SF_OK;
    size_t old_slots = refinement->slots;
    known *old = refinement->table;
    size_t slots = old_slots ? 2 * old_slots : 1024;
    known *table = SF_ARRAY(refinement->context, slots, known);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < slots; i++)
        table[i].position = UINT64_MAX;
    refinement->table = table;
    refinement->slots = slots;
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].position != UINT64_MAX)
            table[slot_of(refinement, old[i].position)] = old[i];
    sf_free(refinement->context, old);
    return SF_OK;
}

/* Reads the values of the positions given last. */
static sf_status learn(sf_refinement *refinement, sf_value_fn value_of, void *argument)
{
    for (size_t i = 0; i < refinement->count; i++) {
        sf_cell value;
        SF_TRY(value_of(argument, refinement->list[i], &value));
        SF_TRY(grow_table(refinement));
        known entry = {.position = refinement->list[i], .number = value.real};
        if (value.kind == SF_CELL_TEXT) {
            sf_hash hash = sf_hash_bytes(value.text, strlen(value.text));
            memcpy(&entry.text, hash.bytes, sizeof entry.text);
        }
        refinement->table[slot_of(refinement, entry.position)] = entry;
        refinement->used++;
    }
    refinement->count = 0;
    return SF_OK;
}

static bool alike(const known *a, const known *b, double tolerance)
{
    if (a->text != b->text || isnan(a->number) != isnan(b->number))
        return false;
    return isnan(a->number) || a->number == b->number || fabs(a->number - b->number) <= tolerance;
}

/* ---- cells ---------------------------------------------------------------------------------------------- */

static sf_status add_cell(sf_refinement *refinement, int level, uint64_t corner)
{
    cell_list *list = &refinement->level[level];
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 256;
        cell *items = sf_resize(refinement->context, list->items, capacity, sizeof *items);
        if (!items)
            return SF_ERR_MEMORY;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (cell){.corner = corner};
    return SF_OK;
}

static sf_status ask(sf_refinement *refinement, uint64_t position)
{
    if (refinement->count == refinement->capacity) {
        size_t capacity = refinement->capacity ? 2 * refinement->capacity : 1024;
        uint64_t *list = sf_resize(refinement->context, refinement->list, capacity, sizeof *list);
        if (!list)
            return SF_ERR_MEMORY;
        refinement->list = list;
        refinement->capacity = capacity;
    }
    refinement->list[refinement->count++] = position;
    return SF_OK;
}

static size_t power(size_t base, size_t exponent)
{
    size_t result = 1;
    while (exponent-- > 0)
        result *= base;
    return result;
}

/* Number `index` of the base^D points of a cell, `step` lattice points apart. */
static uint64_t point_of(const sf_refinement *refinement, uint64_t corner, size_t index, size_t base,
                         uint64_t step)
{
    for (size_t g = 0; g < refinement->factors; g++, index /= base)
        corner += (index % base) * step * refinement->stride[g];
    return corner;
}

static bool differs(const sf_refinement *refinement, const cell *c, uint64_t half)
{
    const known *first = find(refinement, c->corner);
    size_t points = power(3, refinement->factors);
    for (size_t i = 1; i < points && first; i++) {
        const known *other = find(refinement, point_of(refinement, c->corner, i, 3, half));
        if (other && !alike(first, other, refinement->sweep->grid->refine.tolerance))
            return true;
    }
    return false;
}

static sf_status split(sf_refinement *refinement, int level, size_t index, uint64_t half)
{
    cell *c = &refinement->level[level].items[index];
    uint64_t corner = c->corner;
    c->split = true;
    size_t points = power(3, refinement->factors), children = power(2, refinement->factors);
    for (size_t i = 0; i < points; i++) {
        uint64_t position = point_of(refinement, corner, i, 3, half);
        if (!find(refinement, position))
            SF_TRY(ask(refinement, position));
    }
    for (size_t i = 0; i < children && level + 1 < refinement->sweep->grid->refine.levels; i++)
        SF_TRY(add_cell(refinement, level + 1, point_of(refinement, corner, i, 2, half)));
    return SF_OK;
}

static int by_position(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Neighbouring cells ask for the same points of a face. */
static void sort_list(sf_refinement *refinement)
{
    if (refinement->count == 0)
        return;
    qsort(refinement->list, refinement->count, sizeof *refinement->list, by_position);
    size_t kept = 1;
    for (size_t i = 1; i < refinement->count; i++)
        if (refinement->list[i] != refinement->list[kept - 1])
            refinement->list[kept++] = refinement->list[i];
    refinement->count = kept;
}

static sf_status split_cells(sf_refinement *refinement)
{
    const sf_grid *grid = refinement->sweep->grid;
    for (int level = 0; level < grid->refine.levels; level++) {
        uint64_t half = UINT64_C(1) << (grid->refine.levels - level - 1);
        size_t count = refinement->level[level].count; // those added in this pass have no values yet
        for (size_t i = 0; i < count; i++)
            if (!refinement->level[level].items[i].split &&
                differs(refinement, &refinement->level[level].items[i], half))
                SF_TRY(split(refinement, level, i, half));
    }
    sort_list(refinement);
    return SF_OK;
}

/* The grid as written, and its cells: those whose indices are not the last of a factor. */
static sf_status start(sf_refinement *refinement)
{
    const sf_grid *grid = refinement->sweep->grid;
    uint64_t indices[MOST_FACTORS];
    refinement->started = true;
    for (uint64_t n = 0; n < grid->points; n++) {
        uint64_t position = sf_grid_written(grid, n);
        SF_TRY(ask(refinement, position));
        sf_grid_indices(grid, position, indices);
        bool inside = true;
        for (size_t g = 0; g < refinement->factors; g++)
            inside = inside && indices[g] + 1 < sf_grid_extent(grid, g);
        if (inside)
            SF_TRY(add_cell(refinement, 0, position));
    }
    return SF_OK;
}

sf_status sf_refinement_next(sf_refinement *refinement, sf_value_fn value, void *argument,
                             const uint64_t **positions, size_t *count)
{
    sf_status status = SF_OK;
    if (!refinement->started) {
        status = start(refinement);
    } else {
        status = learn(refinement, value, argument);
        /* A split that asks for nothing new may still give cells that split. */
        size_t before;
        do {
            before = 0;
            for (int i = 0; i <= SF_GRID_MAX_LEVELS; i++)
                before += refinement->level[i].count;
            if (status == SF_OK)
                status = split_cells(refinement);
            for (int i = 0; i <= SF_GRID_MAX_LEVELS; i++)
                before -= refinement->level[i].count;
        } while (status == SF_OK && refinement->count == 0 && before != 0);
    }
    *positions = refinement->list;
    *count = refinement->count;
    return status;
}

sf_status sf_refinement_create(sf_sweep *sweep, sf_refinement **out)
{
    *out = NULL;
    const sf_grid *grid = sweep->grid;
    if (grid->group_count > MOST_FACTORS)
        return GRID_FAIL(grid, grid->refine.place, "refine works on at most %d axes, the sweep has %zu",
                         MOST_FACTORS, grid->group_count);
    sf_refinement *refinement = SF_NEW(sweep->context, sf_refinement);
    if (!refinement)
        return SF_ERR_MEMORY;
    refinement->context = sweep->context;
    refinement->sweep = sweep;
    refinement->factors = grid->group_count;
    uint64_t stride = 1;
    for (size_t g = grid->group_count; g-- > 0;) {
        refinement->stride[g] = stride;
        stride *= sf_grid_extent(grid, g);
    }
    *out = refinement;
    return SF_OK;
}

void sf_refinement_destroy(sf_refinement **refinement)
{
    if (!refinement || !*refinement)
        return;
    sf_context *context = (*refinement)->context;
    for (int i = 0; i <= SF_GRID_MAX_LEVELS; i++)
        sf_free(context, (*refinement)->level[i].items);
    sf_free(context, (*refinement)->table);
    sf_free(context, (*refinement)->list);
    sf_free(context, *refinement);
    *refinement = NULL;
}
