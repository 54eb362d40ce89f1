/* What the program of a claim adds to its outcome, and what it borrows from the engine. */
#include "paper/outcome.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <samflow/fetch.h>

enum { PATH_BYTES = 4096 };

/* Room for one more element in an array of the outcome, or NULL with the failure kept. */
static void *one_more(sf_outcome *out, void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t wanted = *room ? 2 * *room : 8;
    void *moved = sf_resize(out->context, array, wanted, size);
    if (moved)
        *room = wanted;
    else if (out->status == SF_OK)
        out->status = SF_ERR_MEMORY;
    return moved;
}
#define ONE_MORE(out, name)                                                                                  \
    one_more((out), (out)->name##s, (out)->name##_count, &(out)->name##_room, sizeof *(out)->name##s)

static char *format_text(sf_outcome *out, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : SF_ARRAY(out->context, (size_t)length + 1, char);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    else if (out->status == SF_OK)
        out->status = SF_ERR_MEMORY;
    return text;
}

sf_context *sf_claim_context(sf_outcome *out)
{
    return out->context;
}

bool sf_claim_quick(const sf_outcome *out)
{
    return out->options->quick;
}

sf_status sf_claim_data_path(sf_outcome *out, const char *set, const char *file, char *path, size_t size)
{
    char folder[PATH_BYTES];
    const char *given = out->options->data_dir;
    sf_status status = sf_fetch_find(out->context, set, "test", given, folder, sizeof folder);
    if (status == SF_ERR_UNAVAILABLE && given)
        return sf_fail(
            out->context, SF_ERR_UNAVAILABLE,
            "%s/%s does not hold it; give the folder with --data DIR, or none and run `samflow data fetch "
            "%s`",
            given, set, set);
    SF_TRY(status);
    if (snprintf(path, size, "%s/%s", folder, file) >= (int)size)
        return sf_fail(out->context, SF_ERR_IO, "%.100s...: the path is too long", folder);
    if (access(path, R_OK) != 0 && strlen(path) > 3) // golub.csv, which was made here, for golub.csv.gz
        path[strlen(path) - 3] = '\0';
    return SF_OK;
}

/* ---- results --------------------------------------------------------------------------------------------
 */

static void add_check(sf_outcome *out, sf_check check, const char *format, va_list arguments)
{
    sf_check *moved = ONE_MORE(out, check);
    if (!moved)
        return;
    out->checks = moved;
    check.what = format_text(out, format, arguments);
    if (check.what)
        out->checks[out->check_count++] = check;
}

void sf_claim_check(sf_outcome *out, sf_relation relation, double predicted, double measured,
                    double tolerance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_check(out, (sf_check){NULL, relation, predicted, measured, tolerance, true, NULL}, format, arguments);
    va_end(arguments);
}

void sf_claim_detail(sf_outcome *out, sf_relation relation, double predicted, double measured,
                     double tolerance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_check(out, (sf_check){NULL, relation, predicted, measured, tolerance, false, NULL}, format,
              arguments);
    va_end(arguments);
}

const char *const sf_words_no_yes[] = {"no", "yes", NULL};
const char *const sf_words_strength[] = {"minor", "major", NULL};

void sf_claim_word(sf_outcome *out, const char *const *words, double predicted, double measured,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_check(out, (sf_check){NULL, SF_RELATION_EQUAL, predicted, measured, 0.0, true, words}, format,
              arguments);
    va_end(arguments);
}

void sf_claim_note(sf_outcome *out, sf_note_kind kind, const char *format, ...)
{
    sf_note *moved = ONE_MORE(out, note);
    if (!moved)
        return;
    out->notes = moved;
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(out, format, arguments);
    va_end(arguments);
    if (text)
        out->notes[out->note_count++] = (sf_note){kind, text};
}

sf_figure *sf_claim_figure(sf_outcome *out, const char *name, size_t columns, const char *caption,
                           const char *alt)
{
    sf_figure **moved = ONE_MORE(out, figure), *figure;
    if (!moved)
        return NULL;
    out->figures = moved;
    sf_status status = sf_figure_create(out->context, name, caption, alt, columns, &figure);
    if (status != SF_OK)
        out->status = status;
    else
        out->figures[out->figure_count++] = figure;
    return figure;
}

sf_table *sf_claim_table(sf_outcome *out, const char *name, const char *caption, size_t columns,
                         const char *const *headings)
{
    sf_table **moved = ONE_MORE(out, table), *table;
    if (!moved)
        return NULL;
    out->tables = moved;
    sf_status status = sf_table_create(out->context, name, caption, columns, headings, &table);
    if (status != SF_OK)
        out->status = status;
    else
        out->tables[out->table_count++] = table;
    return table;
}

/* ---- work space and engine ------------------------------------------------------------------------------
 */

static void release(sf_outcome *out, held *item)
{
    switch (item->kind) {
    case HELD_DOUBLES:
        sf_free_aligned(out->context, item->as.doubles);
        break;
    case HELD_DATASET:
        sf_dataset_destroy(&item->as.dataset);
        break;
    case HELD_NETWORK:
        sf_network_destroy(&item->as.network);
        break;
    case HELD_DESCENT:
        sf_descent_destroy(&item->as.descent);
        break;
    case HELD_BATCH:
        sf_batch_destroy(&item->as.batch);
        break;
    case HELD_FLOW:
        sf_flow_destroy(&item->as.flow);
        break;
    case HELD_MARGIN:
        sf_margin_destroy(&item->as.margin);
        break;
    case HELD_REDUCTION:
        sf_reduction_destroy(&item->as.reduction);
        break;
    case HELD_IMAGES:
        sf_images_destroy(&item->as.images);
        break;
    case HELD_NN:
        sf_nn_destroy(&item->as.nn);
        break;
    case HELD_TRAINER:
        sf_trainer_destroy(&item->as.trainer);
        break;
    }
}

/* Takes over an item; releases it at once if there is no room to note it. */
static sf_status hold(sf_outcome *out, held item)
{
    held *moved = one_more(out, out->held, out->held_count, &out->held_room, sizeof item);
    if (!moved) {
        release(out, &item);
        return SF_ERR_MEMORY;
    }
    out->held = moved;
    out->held[out->held_count++] = item;
    return SF_OK;
}

size_t sf_claim_mark(const sf_outcome *out)
{
    return out->held_count;
}

void sf_claim_release(sf_outcome *out, size_t mark)
{
    while (out->held_count > mark)
        release(out, &out->held[--out->held_count]);
}

double *sf_claim_doubles(sf_outcome *out, size_t count)
{
    double *doubles = sf_alloc_doubles(out->context, count);
    if (!doubles) {
        out->status = SF_ERR_MEMORY;
        return NULL;
    }
    memset(doubles, 0, count * sizeof *doubles);
    return hold(out, (held){HELD_DOUBLES, {.doubles = doubles}}) == SF_OK ? doubles : NULL;
}

sf_status sf_claim_keep_dataset(sf_outcome *out, sf_dataset *dataset)
{
    return hold(out, (held){HELD_DATASET, {.dataset = dataset}});
}

sf_status sf_claim_points(sf_outcome *out, size_t n, size_t d, const double *x, const int *labels,
                          const sf_dataset **dataset)
{
    sf_dataset *made;
    SF_TRY(sf_dataset_from_points(out->context, n, d, x, labels, &made));
    *dataset = made;
    return sf_claim_keep_dataset(out, made);
}

sf_status sf_claim_keep_images(sf_outcome *out, sf_images *images)
{
    return hold(out, (held){HELD_IMAGES, {.images = images}});
}

sf_status sf_claim_nn(sf_outcome *out, const sf_nn_spec *spec, sf_nn **nn)
{
    SF_TRY(sf_nn_create(out->context, spec, 1, nn));
    return hold(out, (held){HELD_NN, {.nn = *nn}});
}

sf_status sf_claim_trainer(sf_outcome *out, sf_nn *nn, const sf_images *images, const sf_training *training,
                           sf_trainer **trainer)
{
    SF_TRY(sf_trainer_create(out->context, nn, images, training, trainer));
    return hold(out, (held){HELD_TRAINER, {.trainer = *trainer}});
}

sf_status sf_claim_network(sf_outcome *out, const sf_dataset *dataset, int depth, sf_network **network)
{
    SF_TRY(sf_network_create(out->context, dataset, depth, SF_LOSS_LOGISTIC, network));
    return hold(out, (held){HELD_NETWORK, {.network = *network}});
}

sf_status sf_claim_example(sf_outcome *out, size_t d, const double *mu, int depth, sf_network **network)
{
    const sf_dataset *dataset;
    SF_TRY(sf_claim_points(out, 1, d, mu, NULL, &dataset));
    return sf_claim_network(out, dataset, depth, network);
}

sf_status sf_claim_descent(sf_outcome *out, sf_network *network, sf_method method, double rho, double step,
                           const double *theta, sf_descent **descent)
{
    sf_perturbation perturbation = {.method = method, .rho = rho};
    SF_TRY(sf_descent_create(out->context, network, &perturbation, step, theta, descent));
    return hold(out, (held){HELD_DESCENT, {.descent = *descent}});
}

sf_status sf_claim_batch(sf_outcome *out, const sf_network *network, const sf_batch_spec *spec,
                         sf_batch **batch)
{
    SF_TRY(sf_batch_create(out->context, network, spec, batch));
    return hold(out, (held){HELD_BATCH, {.batch = *batch}});
}

sf_status sf_claim_flow(sf_outcome *out, sf_network *network, sf_method method, double rho,
                        const double *theta, sf_flow **flow)
{
    sf_perturbation perturbation = {.method = method, .rho = rho};
    SF_TRY(sf_flow_create(out->context, network, &perturbation, theta, 0.0, flow));
    return hold(out, (held){HELD_FLOW, {.flow = *flow}});
}

sf_status sf_claim_max_margin(sf_outcome *out, const sf_dataset *dataset, sf_norm norm, sf_margin **margin)
{
    sf_margin_options options = {.norm = norm};
    SF_TRY(sf_margin_solve(out->context, dataset, &options, margin));
    return hold(out, (held){HELD_MARGIN, {.margin = *margin}});
}

sf_status sf_claim_reduction(sf_outcome *out, size_t d, const double *mu, const double *w1, const double *w2,
                             double rho, sf_reduction **reduction)
{
    SF_TRY(sf_reduction_create(out->context, d, mu, w1, w2, rho, SF_LOSS_LOGISTIC, reduction));
    return hold(out, (held){HELD_REDUCTION, {.reduction = *reduction}});
}

/* ---- the life of an outcome -----------------------------------------------------------------------------
 */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static sf_status first_failure(const sf_outcome *out)
{
    for (size_t i = 0; i < out->figure_count; i++)
        if (sf_figure_status(out->figures[i]) != SF_OK)
            return sf_figure_status(out->figures[i]);
    for (size_t i = 0; i < out->table_count; i++)
        if (sf_table_status(out->tables[i]) != SF_OK)
            return sf_table_status(out->tables[i]);
    return out->status;
}

/* Forgets what was added, as if the claim had not run. */
static void discard(sf_outcome *out)
{
    sf_claim_release(out, 0);
    for (size_t i = 0; i < out->check_count; i++)
        sf_free(out->context, (void *)out->checks[i].what);
    for (size_t i = 0; i < out->note_count; i++)
        sf_free(out->context, (void *)out->notes[i].text);
    for (size_t i = 0; i < out->figure_count; i++)
        sf_figure_destroy(&out->figures[i]);
    for (size_t i = 0; i < out->table_count; i++)
        sf_table_destroy(&out->tables[i]);
    out->check_count = out->note_count = out->figure_count = out->table_count = 0;
    out->status = SF_OK;
}

sf_status sf_outcome_run(sf_outcome *out)
{
    double start = seconds_now();
    sf_status status = out->entry->run(out);
    sf_claim_release(out, 0);
    if (status == SF_OK)
        status = first_failure(out);
    out->seconds = seconds_now() - start;
    if (status == SF_ERR_CANCELLED || status == SF_ERR_MEMORY) {
        discard(out);
        return status;
    }
    if (status != SF_OK) {
        const char *message = sf_context_message(out->context);
        out->reason = sf_strdup(out->context, *message ? message : sf_status_message(status));
        if (!out->reason)
            return SF_ERR_MEMORY;
        out->absent = status == SF_ERR_UNAVAILABLE || status == SF_ERR_DATA;
    }
    out->finished = true;
    return SF_OK;
}

void sf_outcome_clear(sf_outcome *out)
{
    discard(out);
    sf_free(out->context, out->checks);
    sf_free(out->context, out->notes);
    sf_free(out->context, out->figures);
    sf_free(out->context, out->tables);
    sf_free(out->context, out->held);
    sf_free(out->context, out->reason);
}

/* ---- reading --------------------------------------------------------------------------------------------
 */

const sf_claim *sf_outcome_claim(const sf_outcome *out)
{
    return &out->entry->claim;
}

sf_verdict sf_outcome_verdict(const sf_outcome *out)
{
    if (!out->finished)
        return SF_VERDICT_NOT_RUN;
    if (out->reason)
        return out->absent ? SF_VERDICT_NOT_RUN : SF_VERDICT_NOT_REPRODUCED;
    return sf_verdict_of(out->check_count, out->checks);
}

const char *sf_outcome_reason(const sf_outcome *out)
{
    return out->finished ? out->reason : "the run was interrupted before this claim had finished";
}

double sf_outcome_seconds(const sf_outcome *out)
{
    return out->seconds;
}

size_t sf_outcome_checks(const sf_outcome *out, const sf_check **checks)
{
    *checks = out->checks;
    return out->check_count;
}

size_t sf_outcome_notes(const sf_outcome *out, const sf_note **notes)
{
    *notes = out->notes;
    return out->note_count;
}

size_t sf_outcome_figures(const sf_outcome *out)
{
    return out->figure_count;
}

const sf_figure *sf_outcome_figure(const sf_outcome *out, size_t index)
{
    return out->figures[index];
}

size_t sf_outcome_tables(const sf_outcome *out)
{
    return out->table_count;
}

const sf_table *sf_outcome_table(const sf_outcome *out, size_t index)
{
    return out->tables[index];
}

/* A word of a shell: as it is where it may stand so, else in single quotes. */
static void append_word(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    bool plain =
        *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,@%=") ==
                     strlen(word);
    if (plain) {
        snprintf(text + used, size - used, "%s", word);
        return;
    }
    used += (size_t)snprintf(text + used, size - used, "'");
    for (; *word && used + 6 < size; word++)
        used += (size_t)snprintf(text + used, size - used, *word == '\'' ? "'\\''" : "%c", *word);
    snprintf(text + used, size - used, "'");
}

void sf_outcome_command(const sf_outcome *out, char *text, size_t size)
{
    const sf_claim *claim = &out->entry->claim;
    bool data = claim->needs != SF_NEEDS_NOTHING && out->options->data_dir;
    snprintf(text, size, "samflow reproduce --only %s%s%s", claim->id, out->options->quick ? " --quick" : "",
             data ? " --data " : "");
    if (data)
        append_word(text, size, out->options->data_dir);
}
