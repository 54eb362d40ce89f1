/* In place of the backend on oneDNN where it is left out of the build. */
#include "nn/network.h"

static sf_status create(sf_nn *nn)
{
    return sf_fail(nn->context, SF_ERR_UNAVAILABLE,
                   "fully connected and convolutional networks need oneDNN, and this build has none "
                   "(SAMFLOW_WITH_DNNL=OFF); model diagonal is there");
}

static void destroy(sf_nn *nn)
{
    (void)nn;
}

const sf_backend sf_backend_onednn = {.create = create, .destroy = destroy};
