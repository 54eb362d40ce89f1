/* The table of commands; adding one is a line here and a file cmd_NAME.c. */
#include "cli/cli.h"

const sf_command sf_commands[] = {
    {"simulate", "FILE.yaml", "run one experiment, print or write its trajectory", sf_cmd_simulate},
    {"predict", "FILE.yaml", "what theory says of an experiment, without simulating it", sf_cmd_predict},
    {"sweep", "GRID.yaml -o RESULT.db", "many experiments over a grid, into one result file", sf_cmd_sweep},
    {"export", "RESULT.db -o FILE.csv | FILE.h5", "write the results of a sweep as CSV or HDF5",
     sf_cmd_export},
    {"merge", "OUT.db IN.db...", "put the result files of shards into one", sf_cmd_merge},
    {"limit", "FILE.yaml", "the direction at infinity of a flow, certified", sf_cmd_limit},
    {"margin", "FILE.yaml", "max-margin direction of a data set, with its certificate", sf_cmd_margin},
    {"train", "FILE.yaml", "train a real network on images, by SAM or plainly", sf_cmd_train},
    {"attribute", "CHECKPOINT.h5...", "what trained networks look at", sf_cmd_attribute},
    {"data", "info FILE... | fetch NAME", "what data sets hold, and public ones to download", sf_cmd_data},
    {"bench", "", "speed on fixed workloads, as JSON", sf_cmd_bench},
    {"plot", "FILE -o FIGURE", "figures of a trajectory or of a sweep", sf_cmd_plot},
    {"reproduce", "", "every claim of the paper: predicted, measured, verdict", sf_cmd_reproduce},
};
const size_t sf_command_count = sizeof sf_commands / sizeof sf_commands[0];
