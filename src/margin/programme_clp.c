/* The l1 problem as a linear programme, solved by Clp.
 *
 *   primal  min 1'(b+ + b-)  subject to  Z (b+ - b-) >= 1,  b+, b- >= 0        n rows, 2d columns
 *   dual    max 1'lambda     subject to  -1 <= Z'lambda <= 1,  lambda >= 0     d rows, n columns
 *
 * (beta >= 0: no b-, and -infinity for the lower bound of the dual's rows.) The form with fewer rows is
 * solved: the cost of a simplex step goes with the rows. lambda = 0 satisfies the dual's constraints, so the
 * primal form starts in the dual simplex method and the dual form in the primal one, both from the basis of
 * slacks, without a first phase. Only the optimal basis is taken from Clp; numbers come from sf_basis_solve.
 */
#include "margin/margin.h"

#include <limits.h>
#include <math.h>

#include <Clp_C_Interface.h>

#include "base/base.h"

enum { BASIC = 1, AT_UPPER = 2, AT_LOWER = 3 };

typedef struct programme {
    const sf_points *points;
    Clp_Simplex *model;
    bool dual;
    size_t rows, columns;
    CoinBigIndex *start; // (columns + 1)
    int *index;          // (non-zeros)
    double *value;       // (non-zeros)
    double *cost;        // (columns)
    double *lower;       // (rows)
    double *upper;       // (rows)
} programme;

/* Column j of b+ or (from d on) b- in the primal form, example n in the dual form. */
static size_t fill_column(const programme *lp, size_t column, double factor, int *index, double *value)
{
    const sf_points *points = lp->points;
    size_t count = 0, d = points->d;
    if (lp->dual) {
        for (size_t j = 0; j < d; j++)
            if (points->z[column * d + j] != 0.0) {
                index[count] = (int)j;
                value[count++] = points->z[column * d + j] * factor;
            }
        return count;
    }
    double sign = column < d ? factor : -factor;
    for (size_t n = 0; n < points->n; n++)
        if (points->z[n * d + column % d] != 0.0) {
            index[count] = (int)n;
            value[count++] = points->z[n * d + column % d] * sign;
        }
    return count;
}

static sf_status prepare(programme *lp, double factor)
{
    const sf_points *points = lp->points;
    size_t n = points->n, d = points->d, nonzeros = 0;
    lp->dual = n > d;
    lp->rows = lp->dual ? d : n;
    lp->columns = lp->dual ? n : points->nonnegative ? d : 2 * d;
    size_t copies = lp->dual || points->nonnegative ? 1 : 2;
    for (size_t i = 0; i < n * d; i++)
        nonzeros += points->z[i] != 0.0;
    if (nonzeros > INT_MAX / 2 || n > INT_MAX / 2 || d > INT_MAX / 4)
        return sf_fail(points->context, SF_ERR_UNAVAILABLE,
                       "a linear programme of %zu examples with %zu features exceeds the index range of Clp",
                       n, d);
    lp->start = SF_ARRAY(points->context, lp->columns + 1, CoinBigIndex);
    lp->index = SF_ARRAY(points->context, copies * nonzeros, int);
    lp->value = SF_ARRAY(points->context, copies * nonzeros, double);
    lp->cost = SF_ARRAY(points->context, lp->columns, double);
    lp->lower = SF_ARRAY(points->context, lp->rows, double);
    lp->upper = SF_ARRAY(points->context, lp->rows, double);
    if (!lp->start || !lp->index || !lp->value || !lp->cost || !lp->lower || !lp->upper)
        return SF_ERR_MEMORY;
    size_t count = 0;
    for (size_t c = 0; c < lp->columns; c++) {
        lp->start[c] = (CoinBigIndex)count;
        count += fill_column(lp, c, factor, lp->index + count, lp->value + count);
        lp->cost[c] = lp->dual ? -(double)sf_required(points, c) : 1.0;
    }
    lp->start[lp->columns] = (CoinBigIndex)count;
    for (size_t r = 0; r < lp->rows; r++) {
        lp->lower[r] = !lp->dual ? (double)sf_required(points, r) : points->nonnegative ? -INFINITY : -1.0;
        lp->upper[r] = lp->dual ? 1.0 : INFINITY;
    }
    return SF_OK;
}

/* The simplex basis that belongs to a basis of the problem: M's rows and columns are in, the rest is slack.
 */
static void set_start(programme *lp, const sf_basis *basis)
{
    for (size_t r = 0; r < lp->rows; r++)
        Clp_setRowStatus(lp->model, (int)r, BASIC);
    for (size_t c = 0; c < lp->columns; c++)
        Clp_setColumnStatus(lp->model, (int)c, AT_LOWER);
    for (size_t i = 0; i < basis->k; i++) {
        size_t column = basis->column[i], row = basis->row[i];
        bool positive = basis->sign[i] > 0.0;
        if (lp->dual) {
            Clp_setRowStatus(lp->model, (int)column, positive ? AT_UPPER : AT_LOWER);
            Clp_setColumnStatus(lp->model, (int)row, BASIC);
        } else {
            Clp_setRowStatus(lp->model, (int)row, AT_LOWER);
            Clp_setColumnStatus(lp->model, (int)(positive ? column : lp->points->d + column), BASIC);
        }
    }
}

/* The basis that the simplex method ended with; false if it is not square. */
static bool read_basis(const programme *lp, sf_basis *basis)
{
    size_t rows = 0, columns = 0, d = lp->points->d, room = lp->rows < lp->columns ? lp->rows : lp->columns;
    size_t *of_rows = lp->dual ? basis->column : basis->row;
    size_t *of_columns = lp->dual ? basis->row : basis->column;
    const double *activity = Clp_getRowActivity(lp->model);
    for (size_t r = 0; r < lp->rows; r++)
        if (Clp_getRowStatus(lp->model, (int)r) != BASIC) {
            if (rows == room)
                return false;
            if (lp->dual)
                basis->sign[rows] = activity[r] > 0.0 ? 1.0 : -1.0;
            of_rows[rows++] = r;
        }
    for (size_t c = 0; c < lp->columns; c++)
        if (Clp_getColumnStatus(lp->model, (int)c) == BASIC) {
            if (columns == room)
                return false;
            if (!lp->dual)
                basis->sign[columns] = c < d ? 1.0 : -1.0;
            of_columns[columns++] = lp->dual || c < d ? c : c - d;
        }
    basis->k = rows;
    return rows == columns;
}

static void run(programme *lp, sf_basis *basis, bool *solved, double *objective)
{
    Clp_setLogLevel(lp->model, 0);
    Clp_loadProblem(lp->model, (int)lp->columns, (int)lp->rows, lp->start, lp->index, lp->value, NULL, NULL,
                    lp->cost, lp->lower, lp->upper);
    Clp_setPrimalTolerance(lp->model, 1e-9);
    Clp_setDualTolerance(lp->model, 1e-9);
    if (basis->k)
        set_start(lp, basis);
    if (lp->dual)
        Clp_primal(lp->model, 0);
    else
        Clp_dual(lp->model, 0);
    *objective = fabs(Clp_objectiveValue(lp->model));
    *solved = Clp_status(lp->model) == 0 && read_basis(lp, basis);
}

sf_status sf_programme_solve(const sf_points *points, double factor, sf_basis *basis, bool *solved,
                             double *objective)
{
    sf_context *context = points->context;
    programme lp = {.points = points};
    *solved = false;
    sf_status status = prepare(&lp, factor);
    if (status == SF_OK && !(lp.model = Clp_newModel()))
        status = sf_fail(context, SF_ERR_MEMORY, "out of memory: Clp could not make a model");
    if (status == SF_OK) {
        run(&lp, basis, solved, objective);
        Clp_deleteModel(lp.model);
    }
    sf_free(context, lp.start);
    sf_free(context, lp.index);
    sf_free(context, lp.value);
    sf_free(context, lp.cost);
    sf_free(context, lp.lower);
    sf_free(context, lp.upper);
    return status;
}
