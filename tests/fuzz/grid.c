/* Sweep files: axes, observables, refinement; and the settings of the first and last points. */
#include "fuzz.h"

#include "sweep/grid/grid.h"
#include "sweep/grid/point.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    sf_grid *grid = NULL;
    sf_status status = sf_grid_parse(fuzz_context(), "fuzz.yaml", text, 0, NULL, &grid);
    fuzz_message(status);
    if (status == SF_OK) {
        sf_point point;
        uint64_t indices[SF_MOST_AXES];
        status = sf_point_create(fuzz_context(), grid, grid->settings, &point);
        for (uint64_t n = 0; n < grid->points && n < 4 && status == SF_OK; n++) {
            uint64_t position = sf_grid_written(grid, n % 2 ? grid->points - 1 - n / 2 : n / 2);
            sf_grid_indices(grid, position, indices);
            fuzz_require(sf_grid_position(grid, indices) == position, "positions and indices are inverse");
            fuzz_message(sf_point_set(&point, position));
        }
        sf_point_release(&point);
    }
    sf_grid_destroy(&grid);
    free(text);
    return 0;
}
