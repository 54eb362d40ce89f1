#include "sweep/grid/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Texts live as long as the grid, in a list of blocks. */
struct text_block {
    struct text_block *next;
    char text[];
};

const char *sf_grid_keep(sf_grid *grid, const char *text, size_t length)
{
    struct text_block *block = sf_alloc(grid->context, sizeof *block + length + 1, 1);
    if (!block)
        return NULL;
    memcpy(block->text, text, length);
    block->text[length] = '\0';
    block->next = grid->texts;
    grid->texts = block;
    return block->text;
}

static void release_values(sf_context *context, grid_axis *axis)
{
    for (size_t k = 0; axis->patched && k < axis->count; k++)
        if (axis->values[k].patch) {
            sf_patch_release(context, axis->values[k].patch);
            sf_free(context, axis->values[k].patch);
        }
    sf_free(context, axis->values);
}

sf_status sf_grid_axis_fail(const sf_grid *grid, const grid_axis *axis)
{
    sf_fail_within(grid->context, SF_ERR_CONFIG, "axis '%s'", axis->key);
    return sf_fail_at(grid->context, axis->place);
}

void sf_grid_destroy(sf_grid **grid)
{
    if (!grid || !*grid)
        return;
    sf_context *context = (*grid)->context;
    for (size_t i = 0; i < (*grid)->axis_count; i++)
        release_values(context, &(*grid)->axes[i]);
    for (size_t i = 0; i < (*grid)->observable_count; i++)
        sf_free(context, (*grid)->observables[i].times);
    while ((*grid)->texts) {
        struct text_block *next = (*grid)->texts->next;
        sf_free(context, (*grid)->texts);
        (*grid)->texts = next;
    }
    sf_free(context, (*grid)->axes);
    sf_free(context, (*grid)->groups);
    sf_free(context, (*grid)->observables);
    sf_settings_destroy(&(*grid)->settings);
    sf_free(context, *grid);
    *grid = NULL;
}

/* ---- numbering ------------------------------------------------------------------------------------------ */

uint64_t sf_grid_extent(const sf_grid *grid, size_t group)
{
    uint64_t count = grid->groups[group].count;
    return ((count - 1) << grid->refine.levels) + 1;
}

void sf_grid_indices(const sf_grid *grid, uint64_t position, uint64_t *indices)
{
    for (size_t g = grid->group_count; g-- > 0;) {
        uint64_t extent = sf_grid_extent(grid, g);
        indices[g] = position % extent;
        position /= extent;
    }
}

uint64_t sf_grid_position(const sf_grid *grid, const uint64_t *indices)
{
    uint64_t position = 0;
    for (size_t g = 0; g < grid->group_count; g++)
        position = position * sf_grid_extent(grid, g) + indices[g];
    return position;
}

uint64_t sf_grid_written(const sf_grid *grid, uint64_t n)
{
    if (grid->refine.levels == 0)
        return n;
    uint64_t position = 0, stride = 1;
    for (size_t g = grid->group_count; g-- > 0;) {
        position += ((n % grid->groups[g].count) << grid->refine.levels) * stride;
        n /= grid->groups[g].count;
        stride *= sf_grid_extent(grid, g);
    }
    return position;
}

/* ---- values -------------------------------------------------------------------------------------------- */

double sf_grid_round(double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", value);
    return strtod(digits, NULL);
}

grid_value sf_grid_value(const sf_grid *grid, const grid_axis *axis, uint64_t index)
{
    uint64_t cell = index >> grid->refine.levels, within = index - (cell << grid->refine.levels);
    if (within == 0)
        return axis->values[cell];
    double a = axis->values[cell].number, b = axis->values[cell + 1].number;
    double part = (double)within / (double)(UINT64_C(1) << grid->refine.levels);
    double value = axis->geometric ? a * exp(log(b / a) * part) : a + (b - a) * part;
    return (grid_value){.number = sf_grid_round(value)};
}

void sf_grid_values(const sf_grid *grid, uint64_t position, grid_value *values)
{
    for (size_t g = grid->group_count; g-- > 0;) {
        uint64_t extent = sf_grid_extent(grid, g), index = position % extent;
        position /= extent;
        for (size_t i = 0; i < grid->groups[g].axes; i++) {
            const grid_axis *axis = &grid->axes[grid->groups[g].first + i];
            values[grid->groups[g].first + i] = sf_grid_value(grid, axis, index);
        }
    }
}
