/* Which backend computes a network: the table of those in this build, the fastest first. */
#include "nn/network.h"

typedef struct sf_entry {
    sf_nn_backend id;
    const sf_backend *backend;
} sf_entry;

static const sf_entry entries[] = {
#ifdef SAMFLOW_DNNL
    {SF_NN_ONEDNN, &sf_backend_onednn},
#endif
    {SF_NN_PLAIN, &sf_backend_plain},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static const sf_backend *find(sf_nn_backend id)
{
    for (int i = 0; i < ENTRIES; i++)
        if (id == SF_NN_AUTO || entries[i].id == id)
            return entries[i].backend;
    return NULL;
}

const sf_backend *sf_nn_choose_backend(const sf_nn_spec *spec)
{
    return spec->model == SF_MODEL_DIAGONAL ? &sf_backend_diagonal : find(spec->backend);
}

bool sf_nn_backend_available(sf_nn_backend backend)
{
    return find(backend) != NULL;
}
