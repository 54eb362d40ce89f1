/* Which data sets can be fetched, from where, and what their files must be; where fetched ones lie.
 *
 * SHA-256 of the files as they are stored, most of them gzipped. `verified` says that a maintainer of samflow computed it from
 * the file itself; the others are those that other projects publish.
 */
#include "files/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static const sf_catalogue_made golub_made = {
    {"golub.csv", NULL, "f954049bfb2351a38d89e16e777e6434a4f5ffa8bfc6452c7e1eba9f0b515b61", true},
    {"data_set_ALL_AML_train.txt", "data_set_ALL_AML_independent.txt"},
    {"https://pubs.broadinstitute.org/mpr/projects/Leukemia",
     "https://raw.githubusercontent.com/szcf-weiya/ESL-CN/master/data/Leukemia", NULL},
    sf_golub_make};

static const sf_catalogue_entry catalogue[] = {
    {"mnist",
     "handwritten digits, 60,000 and 10,000 images of 28 x 28 (LeCun, Cortes, Burges)",
     {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist",
      NULL},
     {{"t10k-images-idx3-ubyte.gz", "test",
       "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", true},
      {"t10k-labels-idx1-ubyte.gz", "test",
       "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", true},
      {"train-images-idx3-ubyte.gz", "train",
       "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", false},
      {"train-labels-idx1-ubyte.gz", "train",
       "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", false}},
     NULL},
    {"fashion-mnist",
     "articles of clothing, in the form of mnist (Xiao, Rasul, Vollgraf 2017)",
     {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion", NULL},
     {{"t10k-images-idx3-ubyte.gz", "test",
       "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", false},
      {"t10k-labels-idx1-ubyte.gz", "test",
       "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", false},
      {"train-images-idx3-ubyte.gz", "train",
       "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", false},
      {"train-labels-idx1-ubyte.gz", "train",
       "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", false}},
     NULL},
    {"golub",
     "leukaemia, 7,129 genes of 72 patients, made from the two tables of the authors (Golub et al. 1999)",
     {NULL},
     {{"golub.csv.gz", NULL, "6e86ba495a1bdc194993d3477fd15e3b919e17ef9a50ed7fb85c98140755f94c", true}},
     &golub_made}};
enum { ENTRIES = sizeof catalogue / sizeof *catalogue };

const char *sf_fetch_name(size_t index)
{
    return index < ENTRIES ? catalogue[index].name : NULL;
}

const char *sf_fetch_describe(size_t index)
{
    return index < ENTRIES ? catalogue[index].what : NULL;
}

/* A file that has a mirror in the form in which it is kept is described as such, else what it is made into. */
bool sf_fetch_file_info(size_t index, size_t file, sf_fetch_info *info)
{
    *info = (sf_fetch_info){0};
    if (index >= ENTRIES || file >= SF_CATALOGUE_FILES || !catalogue[index].file[file].name)
        return false;
    const sf_catalogue_entry *entry = &catalogue[index];
    const sf_catalogue_file *shown = entry->made ? &entry->made->file : &entry->file[file];
    *info = (sf_fetch_info){.name = shown->name,
                            .part = shown->part,
                            .sha256 = shown->sha256,
                            .address = entry->made ? entry->made->mirror[0] : entry->mirror[0],
                            .verified = shown->verified};
    return true;
}

const sf_catalogue_entry *sf_catalogue_find(const char *name)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (strcmp(catalogue[i].name, name) == 0)
            return &catalogue[i];
    return NULL;
}

/* ---- where they lie -------------------------------------------------------------------------------------- */

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

static bool readable(const char *folder, const char *name)
{
    char path[SF_PATH_BYTES];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && access(path, R_OK) == 0;
}

static bool complete(const sf_catalogue_entry *entry, const char *part, const char *folder)
{
    if (entry->made && readable(folder, entry->made->file.name))
        return true;
    for (size_t i = 0; i < SF_CATALOGUE_FILES && entry->file[i].name; i++)
        if ((!part || !entry->file[i].part || strcmp(part, entry->file[i].part) == 0) &&
            !readable(folder, entry->file[i].name))
            return false;
    return true;
}

sf_status sf_fetch_find(sf_context *context, const char *name, const char *part, const char *given,
                        char *path, size_t size)
{
    const sf_catalogue_entry *entry = sf_catalogue_find(name);
    const char *folder = given ? given : getenv("SAMFLOW_DATA");
    char option[32] = "";
    if (!entry)
        return sf_fail(context, SF_ERR_ARGUMENT, "no data set is called '%s'", name);
    if (folder && *folder && snprintf(path, size, "%s/%s", folder, name) < (int)size &&
        complete(entry, part, path))
        return SF_OK;
    if (given)
        return sf_fail(context, SF_ERR_UNAVAILABLE, "%s/%s does not hold it", given, name);
    if (sf_fetch_directory(context, name, path, size) == SF_OK && complete(entry, part, path))
        return SF_OK;
    if (part && entry->file[0].part)
        snprintf(option, sizeof option, "--part %s ", part);
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "%s is neither in $SAMFLOW_DATA nor in the cache; `samflow data fetch %s%s` fetches it",
                   name, option, name);
}
