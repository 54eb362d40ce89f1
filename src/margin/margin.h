/* Private face of the room margin/: the problem in stored coordinates, its solvers, and exact-as-possible
 * linear algebra in long double (64-bit mantissa on x86, 113 bits where it is software; plain double
 * elsewhere, where the same code gives double accuracy).
 */
#ifndef SF_MARGIN_PRIVATE_H
#define SF_MARGIN_PRIVATE_H

#include <float.h>

#include <samflow/margin.h>

/* The signed examples that a solver sees. A mirrored data set (z, -z) in 2d coordinates is the problem
 * without sign constraint in d stored ones: a pair (b_j, b_{d+j}) acts through b_j - b_{d+j} alone. */
typedef struct sf_points {
    sf_context *context;
    const double *z; // (n, d) row-major
    double *copy;    // owned storage of z if it had to be scaled, else NULL
    size_t n, d;
    bool nonnegative;    // beta >= 0
    double unit;         // z is the data divided by this power of two
    long double *norm;   // (n) Euclidean norms of the rows
    long double largest; // of norm
    double *column;      // (d) largest absolute value of each feature
    const bool
        *balanced; // (n) examples whose margin has to be >= 0 only; NULL if every margin has to be >= 1
} sf_points;

/* The margin that the l1 problem asks of example n, 1 or 0. */
static inline long double sf_required(const sf_points *points, size_t n)
{
    return points->balanced && points->balanced[n] ? 0.0L : 1.0L;
}

/* sum_j x_j y_j with products and sum in long double. */
long double sf_dot(size_t n, const double *x, const long double *y);
long double sf_dot_double(size_t n, const double *x, const double *y);
long double sf_dot_long(size_t n, const long double *x, const long double *y);
/* y += a x. */
void sf_add_multiple(size_t n, long double a, const double *x, long double *y);

/* An updated factorization A = QR, A (rows, k). Set context and rows and zero the rest before use. */
typedef struct sf_qr {
    sf_context *context;
    size_t rows, k, capacity;
    long double *q; // column i at i * rows
    long double *r; // column i at i * capacity, entries 0..i
} sf_qr;

/* Appends a column a (rows). *independent is false, and nothing changes, if it is in the span of the others
 * to working precision. */
sf_status sf_qr_append(sf_qr *qr, const long double *a, bool *independent);
void sf_qr_drop(sf_qr *qr, size_t index);
/* x -= Q Q'x twice, so that what is left is orthogonal to the columns even if it is small; returns its
 * length. */
long double sf_qr_residual(const sf_qr *qr, long double *x);
/* Sets a row of A to 0; *regular is false, and nothing changes, if the columns would become dependent. Puts a
 * row that is 0 back: a (k). work: (rows + k). */
void sf_qr_remove_row(sf_qr *qr, size_t row, long double *work, bool *regular);
void sf_qr_insert_row(sf_qr *qr, size_t row, const long double *a, long double *work);
void sf_qr_solve_upper(const sf_qr *qr, long double *b);                        // R x = b, in place
void sf_qr_coefficients(const sf_qr *qr, const long double *b, long double *h); // h = Q'b, (k)
void sf_qr_release(sf_qr *qr);

/* The point of smallest norm p = sum_n lambda_n z_n + nu of conv{z_n} (nu = 0), or of conv{z_n} + {nu >= 0}
 * if beta
 * >= 0 is asked. lambda: (n), sum 1, zeroed by the function; p: (d). SF_OK means the iteration ended by its
 * own criterion; what was proved is for the caller to check. */
sf_status sf_hull_nearest(const sf_points *points, long double *lambda, long double *p);

/* The same point for signs that are free and data of any scale, by active sets that are factored anew with the rows
 * sorted (wide.c): slower, but good to the last digits of each coordinate where features differ by 1e18 in size.
 * beta (d): smallest margin 1; lambda (n): its multipliers. *solved is false if rounding won. */
sf_status sf_wide_solve(const sf_points *points, long double *beta, long double *lambda, bool *solved);

/* What can be separated at all, decided in coordinates in which no example and no feature is large (partition.c). */
typedef struct sf_partition {
    sf_separability kind;
    bool decided;        // false where rounding leaves the question open
    size_t separated;    // number of examples that some beta with all margins >= 0 gives a positive margin
    bool *balanced;      // (n) the others, whose margins are 0 for every such beta
    size_t rank, *basis; // (rank) balanced examples that span all of them
    long double *beta;   // (d) such a beta, unless the kind is SF_INSEPARABLE
    double
        *lambda; // (n) >= 0, sum 1, sum lambda_n z_n = 0 to within rounding, unless the kind is SF_SEPARABLE
} sf_partition;

/* Release also after a failure. */
sf_status sf_partition_create(const sf_points *points, sf_partition *partition);
void sf_partition_release(sf_context *context, sf_partition *partition);

/* What a margin of 0 of example n is compared with: the largest share that a feature could have in the margins of beta (d), times
 * the example in units of its features. It does not depend on the units of the features. */
long double sf_margin_scale(const sf_points *points, size_t n, const long double *beta);

/* A pair of basic solutions of the l1 problem: rows `row` (margin 1) and coordinates `column` (free), k each,
 * with sign[i] = +-1 that of beta at column[i]. */
typedef struct sf_basis {
    size_t k;
    size_t *row, *column; // (min(n, d)) each
    double *sign;         // (min(n, d))
} sf_basis;

/* Solves the l1 linear programme on the points times `factor`, starting from the basis if it is not empty,
 * and gives its optimal basis and objective. *solved is false if the programme was found infeasible or the
 * library gave up. SF_ERR_UNAVAILABLE without an LP library. */
sf_status sf_programme_solve(const sf_points *points, double factor, sf_basis *basis, bool *solved,
                             double *objective);

/* LU factors of the basis matrix M = (z_nj), n in row, j in column. */
typedef struct sf_lu {
    sf_context *context;
    size_t k;
    long double *lu;   // (k, k) row-major, rows permuted
    size_t *row;       // (k) row i of lu is row row[i] of M
    long double *work; // (4 k)
} sf_lu;

/* Factors M; *regular is false if it is singular to working precision. Release also after a failure. */
sf_status sf_lu_create(const sf_points *points, const sf_basis *basis, sf_lu *lu, bool *regular);
void sf_lu_release(sf_lu *lu);
void sf_lu_solve(const sf_lu *lu, const long double *b, long double *x);            // M x = b; no overlap
void sf_lu_solve_transposed(const sf_lu *lu, const long double *c, long double *y); // M'y = c; no overlap

/* Basic solution of a basis: beta (d) with M beta = 1, lambda (n) with M'lambda = sign, 0 elsewhere, exact to long
 * double where M is well conditioned. */
void sf_basis_solve(const sf_points *points, const sf_basis *basis, const sf_lu *lu, long double *beta,
                    long double *lambda);

/* Simplex steps in long double from any regular basis (also the empty one) to an optimal one, with its solution in beta
 * (d) and lambda (n). *optimal is false if none was reached: not separable, or lost in rounding. */
sf_status sf_basis_improve(const sf_points *points, sf_basis *basis, long double *beta, long double *lambda,
                           bool *optimal);

/* An optimal pair of the l1 problem: beta (d) with margins >= 1, lambda (n) with |(Z'lambda)_j| <= 1. Buffers
 * are the caller's. *solved is false if the linear programme had no solution or its basis could not be made
 * exact. `guess` is an estimate of the margin, 0 if there is none. */
sf_status sf_l1_solve(const sf_points *points, double guess, long double *beta, long double *lambda,
                      bool *solved);

/* Whether beta is the only solution of the l1 problem, given an optimal pair; face (d): the sign that
 * coordinate j has in the solutions if it differs among them, 0 if it does not. */
sf_status sf_face_find(const sf_points *points, const long double *beta, const long double *lambda,
                       sf_answer *unique, signed char *face);

/* An orthonormal basis of {x in R^columns : A x = 0}; A (rows, columns) row-major is destroyed, its rows
 * should have length about 1. Directions in which A is below `tolerance` count as null. *basis: (*dimension,
 * columns), to be released by the caller, also if the dimension is 0. */
sf_status sf_null_space(sf_context *context, size_t rows, size_t columns, long double *a,
                        long double tolerance, long double **basis, size_t *dimension);

/* min ||A x - b||_2, x_i >= 0 (Lawson and Hanson 1974, ch. 23) in long double; A is (rows, columns),
 * column-major. x: (columns), residual b - A x: (rows). */
sf_status sf_nnls(sf_context *context, size_t rows, size_t columns, const long double *a,
                  const long double *b, long double *x, long double *residual);

#endif
