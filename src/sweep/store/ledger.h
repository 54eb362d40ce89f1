/* What a result file knows of the points of a sweep. */
#ifndef SF_SWEEP_LEDGER_H
#define SF_SWEEP_LEDGER_H

#include "sweep/run/sweep.h"
#include "sweep/store/database.h"

typedef enum sf_known {
    SF_KNOWN_NOT,      // nothing is known of the point
    SF_KNOWN_FINISHED, // done with everything asked for, or failed and not to be tried again
    SF_KNOWN_LACKING,  // done, but an observable was not recorded
    SF_KNOWN_FAILED    // failed, to be tried again
} sf_known;

/* What the file knows of a sweep's points; for reading only. */
typedef struct sf_ledger {
    sf_sweep *sweep;
    sf_database *database; // borrowed; NULL: there is no file
    bool retry_failed;
    int64_t grid;             // its number in the file, -1: not there
    char *covering;           // numbers of the sets of observables that hold all asked for, "1,3"
    unsigned char *done;      // bit n: the n-th written point is a finished member
    uint64_t members, failed; // finished members, and the failed ones among them
    bool foreign;             // the file holds points beside them: ask by hash
    sqlite3_stmt *by_hash, *value;
} sf_ledger;

sf_status sf_ledger_open(sf_sweep *sweep, sf_database *database, bool retry_failed, sf_ledger *ledger);
void sf_ledger_close(sf_ledger *ledger);
/* The column by which a grid is refined, of a point that was found; NULL if it failed. Texts are valid until the next
 * call. */
sf_status sf_ledger_value(sf_ledger *ledger, int64_t point, sf_cell *cell);
/* Of a position: *point is its number in the file (0: none), *failed that it failed. */
sf_status sf_ledger_look(sf_ledger *ledger, uint64_t position, sf_known *known, int64_t *point, bool *failed);

#endif
