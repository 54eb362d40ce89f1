/* The parts of samflow data that have files of their own. */
#ifndef SF_CLI_DATA_H
#define SF_CLI_DATA_H

#include "cli/cli.h"

/* Whether it is the name of a data set that is part of samflow, and no file has that name. */
bool sf_cli_is_builtin(const char *path);

/* Describe labelled images on standard output, as text or into the open array of the document. Return the exit code. */
int sf_cli_show_image_file(const sf_cli *cli, sf_json *json, const char *path, const char *labels,
                           const char *classes, const double *scale);
/* Those of an experiment of samflow train. */
int sf_cli_show_course_images(const sf_cli *cli, sf_json *json, const char *path);

/* samflow data fetch. */
int sf_cli_run_fetch(sf_cli *cli, int argc, char **argv);

#endif
