#include "sweep/run/options.h"

sf_status sf_options_check(const sf_sweep *sweep, const sf_sweep_options *options)
{
    if (options->threads < 0 || options->threads > 4096)
        return sf_fail(sweep->context, SF_ERR_USAGE, "%d threads, expected 0 (all) to 4096",
                       options->threads);
    if (options->shards > 0 && (options->shard < 1 || options->shard > options->shards))
        return sf_fail(sweep->context, SF_ERR_USAGE, "shard %llu of %llu, expected 1 to %llu",
                       (unsigned long long)options->shard, (unsigned long long)options->shards,
                       (unsigned long long)options->shards);
    if (options->from && sweep->grid->refine.levels == 0)
        return sf_fail(sweep->context, SF_ERR_USAGE,
                       "only a sweep with `refine:` goes on from the results of other shards");
    return SF_OK;
}

bool sf_is_mine(const sf_sweep_options *options, uint64_t number)
{
    return options->shards < 2 || number % options->shards == options->shard - 1;
}
