/* Which data sets can be fetched, from where, and what their files must be.
 *
 * MNIST: LeCun, Cortes, Burges, the MNIST database of handwritten digits. Fashion-MNIST: Xiao, Rasul,
 * Vollgraf, "Fashion- MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.
 * SHA-256 of the gzipped files.
 */
#include "files/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const sf_catalogue_entry catalogue[] = {
    {"mnist",
     {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist",
      NULL},
     {{"t10k-images-idx3-ubyte.gz", "test",
       "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
      {"t10k-labels-idx1-ubyte.gz", "test",
       "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
      {"train-images-idx3-ubyte.gz", "train",
       "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
      {"train-labels-idx1-ubyte.gz", "train",
       "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"}}},
    {"fashion-mnist",
     {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion", NULL},
     {{"t10k-images-idx3-ubyte.gz", "test",
       "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
      {"t10k-labels-idx1-ubyte.gz", "test",
       "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
      {"train-images-idx3-ubyte.gz", "train",
       "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
      {"train-labels-idx1-ubyte.gz", "train",
       "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"}}}};
enum { ENTRIES = sizeof catalogue / sizeof *catalogue };

const char *sf_fetch_name(size_t index)
{
    return index < ENTRIES ? catalogue[index].name : NULL;
}

const sf_catalogue_entry *sf_catalogue_find(const char *name)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (strcmp(catalogue[i].name, name) == 0)
            return &catalogue[i];
    return NULL;
}

sf_status sf_fetch_directory(sf_context *context, const char *name, char *path, size_t size)
{
    // the XDG base directory specification: a relative path is to be ignored
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length;
    if (cache && cache[0] == '/')
        length = snprintf(path, size, "%s/samflow/%s", cache, name);
    else if (home && home[0] == '/')
        length = snprintf(path, size, "%s/.cache/samflow/%s", home, name);
    else
        return sf_fail(context, SF_ERR_IO,
                       "no cache folder: neither XDG_CACHE_HOME nor HOME names one; say where to "
                       "put the files");
    if (length < 0 || (size_t)length >= size)
        return sf_fail(context, SF_ERR_IO, "the path of the cache folder is too long");
    return SF_OK;
}
