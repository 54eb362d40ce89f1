/* Columns of `point` that hold settings, so that every row tells what it is. */
#ifndef SF_SWEEP_COLUMNS_H
#define SF_SWEEP_COLUMNS_H

#include "settings/settings.h"
#include "sweep/store/database.h"

/* Adds a column `name` for the setting `key`, unless it is there. Errors: SF_ERR_CONFIG if the column holds something
 * else. */
sf_status sf_columns_add(sf_database *database, const char *name, const char *key);
/* Adds columns for settings that differ between the grids of the file, and fills all columns added by this connection
 * for the points that are there. */
sf_status sf_columns_reconcile(sf_database *database);
/* The value of a setting: a number, or a text (lists as JSON), which is *text, to be released with sf_free. */
sf_status sf_columns_cell(sf_context *context, const sf_settings *settings, const char *key, sf_cell *cell,
                          char **text);

#endif
