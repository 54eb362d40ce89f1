/* Result files that someone else wrote, or a disk spoiled. */
#ifndef SF_SWEEP_CHECK_H
#define SF_SWEEP_CHECK_H

#include "sweep/store/database.h"

/* Errors: SF_ERR_DATA with table and row, where the file is no result file in every value but the results. */
sf_status sf_database_check(sf_database *database);

/* After SQLite has found pages damaged: which table, and how many of its rows can be read, as text. */
void sf_database_locate(sf_database *database, char *text, size_t size);

#endif
