/* Shards from the command line and from the environments of batch systems:
 *
 *     SLURM   SLURM_ARRAY_TASK_ID of _MIN .. _MAX by _STEP, _COUNT of them
 *     SGE     SGE_TASK_ID of SGE_TASK_FIRST .. SGE_TASK_LAST by SGE_TASK_STEPSIZE
 *     LSF     LSB_JOBINDEX of 1 .. LSB_JOBINDEX_END by LSB_JOBINDEX_STEP
 *     PBS     PBS_ARRAY_INDEX (PBS Pro, OpenPBS) or PBS_ARRAYID (Torque); how many is not told
 */
#include "cli/shard.h"

#include <stdlib.h>
#include <string.h>

typedef struct array_job {
    const char *id, *first, *last, *step, *count; // names of variables, NULL: the system has none
} array_job;

static const array_job systems[] = {
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP",
     "SLURM_ARRAY_TASK_COUNT"},
    {"SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE", NULL},
    {"LSB_JOBINDEX", NULL, "LSB_JOBINDEX_END", "LSB_JOBINDEX_STEP", NULL},
    {"PBS_ARRAY_INDEX", NULL, NULL, NULL, NULL},
    {"PBS_ARRAYID", NULL, NULL, NULL, NULL},
};
enum { SYSTEMS = sizeof systems / sizeof systems[0] };

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    if (!text || *text < '0' || *text > '9' || strlen(text) > 18)
        return false;
    *number = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool variable(const char *name, uint64_t *number)
{
    return name && read_number(getenv(name), number);
}

/* The system whose array job this is a task of, with the number of the task. NULL: none. SGE says "undefined" and LSF 0
 * outside of one. */
static const array_job *find_system(uint64_t *id)
{
    for (size_t i = 0; i < SYSTEMS; i++)
        if (variable(systems[i].id, id) && !(*id == 0 && systems[i].last && !systems[i].count))
            return &systems[i];
    return NULL;
}

/* How many: 0 if auto is to find it out. */
static int from_system(const sf_cli *cli, uint64_t told, sf_sweep_options *options)
{
    uint64_t id = 0, first = 1, last = 0, step = 1, count = 0;
    const array_job *system = find_system(&id);
    if (!system)
        return sf_cli_usage(
            cli, "--shard auto, but this is no task of an array job: none of SLURM_ARRAY_TASK_ID, "
                 "SGE_TASK_ID, LSB_JOBINDEX, PBS_ARRAY_INDEX and PBS_ARRAYID is set; expected I/N");
    variable(system->first, &first);
    variable(system->step, &step);
    bool known = variable(system->last, &last) && last >= first && step > 0 && id >= first;
    options->shard = known ? (id - first) / step + 1 : id;
    options->shards = known ? (last - first) / step + 1 : told;
    if (!known && told == 0)
        return sf_cli_usage(
            cli,
            "--shard auto: %s does not come with the number of tasks; expected --shard auto/N "
            "with tasks 1 to N",
            system->id);
    if (told > 0 && told != options->shards)
        return sf_cli_usage(cli, "--shard auto/%llu, but the array job has %llu tasks",
                            (unsigned long long)told, (unsigned long long)options->shards);
    if ((known && (id - first) % step != 0) || (variable(system->count, &count) && count != options->shards))
        return sf_cli_usage(cli,
                            "--shard auto: the tasks of the array job are no range of equal steps; expected "
                            "I/N");
    if (options->shard < 1 || options->shard > options->shards)
        return sf_cli_usage(cli, "--shard auto: %s is %llu, expected a number from 1 to %llu", system->id,
                            (unsigned long long)id, (unsigned long long)options->shards);
    return -1;
}

int sf_cli_read_shard(const sf_cli *cli, const char *text, sf_sweep_options *options)
{
    uint64_t told = 0;
    char first[32];
    const char *slash = strchr(text, '/');
    if (strncmp(text, "auto", 4) == 0 &&
        (text[4] == '\0' || (text[4] == '/' && read_number(text + 5, &told) && told)))
        return from_system(cli, told, options);
    snprintf(first, sizeof first, "%.*s", slash ? (int)(slash - text) : 0, text);
    if (slash && slash - text < 31 && read_number(first, &options->shard) &&
        read_number(slash + 1, &options->shards) && options->shard >= 1 && options->shard <= options->shards)
        return -1;
    return sf_cli_usage(cli, "--shard %s, expected I/N with 1 <= I <= N, for example 3/16, or auto", text);
}
