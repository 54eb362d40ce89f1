/* The parts of samflow data that have files of their own. */
#ifndef SF_CLI_DATA_H
#define SF_CLI_DATA_H

#include "cli/cli.h"

/* Describe labelled images on standard output, as text or into the open array of the document. Return the exit code. */
int sf_cli_show_image_file(const sf_cli *cli, sf_json *json, const char *path, const char *labels,
                           const char *classes, const double *scale);
/* Those of an experiment of samflow train. */
int sf_cli_show_training_images(const sf_cli *cli, sf_json *json, const char *path);

#endif
