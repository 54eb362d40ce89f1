/* Downloads by libcurl.
 *
 * A file grows as .NAME.RANDOM.part in the folder where it belongs: made anew, never through a link, and locked for as long as
 * its process lives. When its SHA-256 is right it is flushed to the disk, takes its name in one step, and the folder is
 * flushed. Parts that nobody holds were left by runs that ended: one is continued by a range request, the others are
 * removed. Where the server knows no ranges, or what results has the wrong SHA-256, the file is loaded anew.
 *
 * A transfer is given up when it does not connect, is too slow for too long, takes too long as a whole, or brings more
 * bytes than any file of the catalogue has: these are counted as they arrive, because a server need not declare a length.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "files/catalogue.h"

enum { REDIRECTS = 5, REASONS = 1024, DIGITS = 64, NAMES_TRIED = 100 };

const sf_fetch_limits sf_fetch_default_limits = {.connect_seconds = 4,
                                                 .slow_seconds = 15,
                                                 .slow_bytes = 1000,
                                                 .total_seconds = 1800,
                                                 .largest = UINT64_C(1) << 28};

typedef struct download {
    sf_context *context;
    const sf_catalogue_file *file;
    const sf_fetch_limits *limits;
    const char *directory, *path; // path: the final one
    char part[SF_PATH_BYTES];
    FILE *stream;          // the part, open for reading and writing
    uint64_t have;         // bytes in it
    bool too_long;         // the server sends more than the limit
    bool asked;            // a server could be connected to
    char reasons[REASONS]; // why each mirror failed
    bool wrong_digest;     // a mirror had another file
} download;

/* ---- SHA-256 ------------------------------------------------------------------------------------------- */

static bool digest_stream(FILE *stream, EVP_MD_CTX *state, char hex[DIGITS + 1])
{
    unsigned char buffer[1 << 14], digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_DigestInit_ex(state, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, stream)) > 0;)
        if (EVP_DigestUpdate(state, buffer, got) != 1)
            return false;
    if (ferror(stream) || EVP_DigestFinal_ex(state, digest, &length) != 1)
        return false;
    for (unsigned i = 0; i < length && 2 * i < DIGITS; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    return true;
}

static sf_status digest(sf_context *context, FILE *stream, const char *path, char hex[DIGITS + 1])
{
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    if (!state)
        return sf_fail(context, SF_ERR_MEMORY, "%s: out of memory", path);
    rewind(stream);
    bool done = digest_stream(stream, state, hex);
    EVP_MD_CTX_free(state);
    return done ? SF_OK : sf_fail(context, SF_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
}

/* What to add to a digest that nobody has checked. */
static const char *doubt(const sf_catalogue_file *file)
{
    return file->verified ? "" : ", as others publish it: not verified by us";
}

/* ---- folders and files --------------------------------------------------------------------------------- */

static sf_status make_directories(sf_context *context, const char *directory)
{
    char path[SF_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s", directory) >= (int)sizeof path)
        return sf_fail(context, SF_ERR_IO, "%.100s...: the path is too long", directory);
    for (char *c = path + 1;; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char keep = *c;
        *c = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return sf_fail(context, SF_ERR_IO, "%s: the folder cannot be made: %s", path, strerror(errno));
        *c = keep;
        if (keep == '\0')
            return SF_OK;
    }
}

/* *there: a file of that name with the right digest exists. Another file under that name is left alone. */
static sf_status check_existing(download *d, bool *there)
{
    *there = false;
    FILE *stream = fopen(d->path, "rb");
    if (!stream)
        return errno == ENOENT ? SF_OK : sf_fail(d->context, SF_ERR_IO, "%s: %s", d->path, strerror(errno));
    char hex[DIGITS + 1];
    sf_status status = digest(d->context, stream, d->path, hex);
    fclose(stream);
    SF_TRY(status);
    *there = strcmp(hex, d->file->sha256) == 0;
    if (!*there)
        return sf_fail(d->context, SF_ERR_DATA,
                       "%s: is there, but with SHA-256 %s, expected %s%s; move it away to download the file",
                       d->path, hex, d->file->sha256, doubt(d->file));
    return SF_OK;
}

static bool is_part(const char *name, const char *of)
{
    size_t length = strlen(name), stem = strlen(of);
    return length > stem + 7 && name[0] == '.' && strncmp(name + 1, of, stem) == 0 && name[stem + 1] == '.' &&
           strcmp(name + length - 5, ".part") == 0;
}

/* Locks a part that is open: false if another run has it, or has given or taken away its name since. Where a file
 * system has no locks, two runs may load the same file: the digest decides, and the last name given stays. */
static bool lock_part(int descriptor, const char *path)
{
    struct stat about, named;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(descriptor, &about) == 0 && lstat(path, &named) == 0 && named.st_dev == about.st_dev &&
           named.st_ino == about.st_ino;
}

/* Opens what a run that ended has left, with its lock; -1 if it is held, or nothing that a run of ours would leave. */
static int open_leftover(const char *path)
{
    struct stat about;
    int descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) && about.st_nlink == 1 &&
        about.st_uid == geteuid() && lock_part(descriptor, path))
        return descriptor;
    close(descriptor);
    return -1;
}

/* The longest part that runs before this one have left, or -1; the others are removed. */
static int adopt_part(download *d)
{
    int kept = -1;
    off_t longest = 0;
    DIR *folder = opendir(d->directory);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[SF_PATH_BYTES];
        struct stat about;
        if (!is_part(entry->d_name, d->file->name) ||
            snprintf(path, sizeof path, "%s/%s", d->directory, entry->d_name) >= (int)sizeof path)
            continue;
        int descriptor = open_leftover(path);
        if (descriptor < 0)
            continue;
        if (d->file->sha256 && fstat(descriptor, &about) == 0 && about.st_size > longest) {
            if (kept >= 0) {
                unlink(d->part);
                close(kept);
            }
            kept = descriptor;
            longest = about.st_size;
            memcpy(d->part, path, sizeof path);
        } else {
            unlink(path);
            close(descriptor);
        }
    }
    if (folder)
        closedir(folder);
    return kept;
}

static int make_part(download *d)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sf_random random = sf_random_make((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec, (uint64_t)getpid());
    for (int i = 0; i < NAMES_TRIED; i++) {
        if (snprintf(d->part, sizeof d->part, "%s/.%s.%016llx.part", d->directory, d->file->name,
                     (unsigned long long)sf_random_bits(&random)) >= (int)sizeof d->part) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int descriptor = open(d->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (descriptor >= 0 && lock_part(descriptor, d->part))
            return descriptor;
        if (descriptor >= 0)
            close(descriptor); // another run was quicker and took it for a leftover
        else if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static sf_status open_part(download *d)
{
    int descriptor = adopt_part(d);
    if (descriptor < 0)
        descriptor = make_part(d);
    if (descriptor < 0)
        return sf_fail(d->context, SF_ERR_IO, "%s: no file can be made there: %s", d->directory,
                       strerror(errno));
    d->stream = fdopen(descriptor, "r+b");
    if (!d->stream) {
        unlink(d->part);
        close(descriptor);
        return sf_fail(d->context, SF_ERR_MEMORY, "%s: out of memory", d->part);
    }
    return SF_OK;
}

static sf_status empty_part(download *d)
{
    if (fflush(d->stream) != 0 || ftruncate(fileno(d->stream), 0) != 0)
        return sf_fail(d->context, SF_ERR_IO, "%s: %s", d->part, strerror(errno));
    return SF_OK;
}

/* keep: the part is worth going on with at the next run. */
static void close_part(download *d, bool keep)
{
    struct stat about;
    if (!keep || (fstat(fileno(d->stream), &about) == 0 && about.st_size == 0))
        unlink(d->part); // before the lock goes
    fclose(d->stream);
    d->stream = NULL;
}

static bool sync_folder(const char *directory)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
    if (descriptor >= 0)
        close(descriptor);
    return synced;
}

static sf_status put_in_place(download *d)
{
    if (fflush(d->stream) != 0 || fsync(fileno(d->stream)) != 0 || rename(d->part, d->path) != 0 ||
        !sync_folder(d->directory))
        return sf_fail(d->context, SF_ERR_IO, "%s: cannot be put in place: %s", d->path, strerror(errno));
    return SF_OK;
}

/* ---- one transfer -------------------------------------------------------------------------------------- */

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    (void)up_total;
    (void)up_now;
    download *d = user;
    sf_progress(d->context, total > 0 ? fmin((double)now / (double)total, 0.999) : NAN, d->file->name);
    return sf_cancelled(d->context); // not 0 aborts
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *user)
{
    (void)one; // always 1
    download *d = user;
    d->too_long = count > d->limits->largest || d->have > d->limits->largest - count;
    if (d->too_long)
        return 0; // not count ends the transfer
    d->have += count;
    return fwrite(bytes, 1, count, d->stream);
}

static void set_options(CURL *curl, download *d, const char *url, char *error)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE));
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, d->limits->connect_seconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, d->limits->slow_bytes);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, d->limits->slow_seconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, d->limits->total_seconds);
    char agent[64];
    snprintf(agent, sizeof agent, "samflow/%s", sf_version());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, agent); // copied
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, d);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void note_reason(download *d, const char *url, const char *reason)
{
    size_t used = strlen(d->reasons);
    snprintf(d->reasons + used, sizeof d->reasons - used, "%s%s: %s", used ? "; " : "", url, reason);
}

static bool connected(CURL *curl)
{
    curl_off_t connect = 0;
    curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect);
    return connect > 0; // stays 0 where name or connection fail
}

/* Appends to the part from where it ends. *moved: the server answered with the file (or says that there is no
 * more). */
static sf_status transfer_once(download *d, const char *url, bool *restart, bool *moved)
{
    char error[CURL_ERROR_SIZE] = "";
    *restart = *moved = false;
    if (fseeko(d->stream, 0, SEEK_END) != 0)
        return sf_fail(d->context, SF_ERR_IO, "%s: %s", d->part, strerror(errno));
    off_t have = ftello(d->stream);
    d->have = (uint64_t)have;
    d->too_long = false;
    CURL *curl = curl_easy_init();
    if (!curl)
        return sf_fail(d->context, SF_ERR_MEMORY, "%s: out of memory", url);
    set_options(curl, d, url, error);
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)have);
    CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    d->asked = d->asked || connected(curl) || strncmp(url, "file:", 5) == 0;
    curl_easy_cleanup(curl);
    if (d->too_long) {
        snprintf(error, sizeof error, "sends more than %llu bytes, which is more than any file known here",
                 (unsigned long long)d->limits->largest);
        note_reason(d, url, error);
        return empty_part(d);
    }
    if (fflush(d->stream) != 0 || code == CURLE_WRITE_ERROR)
        return sf_fail(d->context, SF_ERR_IO, "%s: cannot be written: %s", d->part, strerror(errno));
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return sf_fail(d->context, SF_ERR_CANCELLED, "%s: interrupted%s", d->file->name,
                       d->file->sha256 ? "; the next run goes on from here" : "");
    // 416: the part is as long as the file, or longer; the digest tells
    bool at_end = have > 0 && (answer == 416 || code == CURLE_BAD_DOWNLOAD_RESUME);
    *restart = have > 0 && code == CURLE_RANGE_ERROR;
    *moved = code == CURLE_OK || at_end;
    if (!*moved && !*restart)
        note_reason(d, url, *error ? error : curl_easy_strerror(code));
    return SF_OK;
}

/* The part from one mirror, checked; *done if it is the file. A file without a known digest is taken as it comes. */
static sf_status transfer(download *d, const char *url, bool *done)
{
    char hex[DIGITS + 1] = "";
    *done = false;
    for (;;) {
        bool restart, moved;
        struct stat about;
        if (!d->file->sha256)
            SF_TRY(empty_part(d));
        bool resumed = fstat(fileno(d->stream), &about) == 0 && about.st_size > 0;
        SF_TRY(transfer_once(d, url, &restart, &moved));
        if (!moved && !restart)
            return SF_OK;
        if (moved) {
            SF_TRY(digest(d->context, d->stream, d->part, hex));
            *done = !d->file->sha256 || strcmp(hex, d->file->sha256) == 0;
            if (*done)
                return SF_OK;
        }
        SF_TRY(empty_part(d));
        if (!resumed) {
            char reason[240];
            snprintf(reason, sizeof reason, "has SHA-256 %s, expected %s%s", hex, d->file->sha256,
                     doubt(d->file));
            note_reason(d, url, reason);
            d->wrong_digest = true;
            return SF_OK;
        }
    }
}

/* The part becomes the file, from the first mirror that has it. */
static sf_status transfer_any(download *d, const char *const *mirrors)
{
    for (; *mirrors; mirrors++) {
        char url[SF_PATH_BYTES];
        size_t length = strlen(*mirrors);
        const char *slash = length > 0 && (*mirrors)[length - 1] == '/' ? "" : "/";
        if (snprintf(url, sizeof url, "%s%s%s", *mirrors, slash, d->file->name) >= (int)sizeof url)
            return sf_fail(d->context, SF_ERR_ARGUMENT, "%.100s...: the address is too long", *mirrors);
        bool done;
        SF_TRY(transfer(d, url, &done));
        if (done)
            return SF_OK;
    }
    if (!d->file->sha256)
        return sf_fail(d->context, SF_ERR_IO, "%s could not be downloaded (%s)", d->file->name, d->reasons);
    return sf_fail(d->context, d->wrong_digest ? SF_ERR_DATA : SF_ERR_IO,
                   "%s could not be downloaded (%s).\nWithout a network, get the file elsewhere, put it at "
                   "%s (SHA-256 %s%s) and run this again, or name a mirror within reach",
                   d->file->name, d->reasons, d->path, d->file->sha256, doubt(d->file));
}

sf_status sf_fetch_file(sf_context *context, const char *const *mirrors, const sf_catalogue_file *file,
                        const sf_fetch_limits *limits, const char *directory, char path[SF_PATH_BYTES],
                        bool *cached, bool *unreachable)
{
    download d = {.context = context, .file = file, .limits = limits, .directory = directory, .path = path};
    if (snprintf(path, SF_PATH_BYTES, "%s/%s", directory, file->name) >= SF_PATH_BYTES)
        return sf_fail(context, SF_ERR_IO, "%.100s...: the path is too long", directory);
    SF_TRY(check_existing(&d, cached));
    if (*cached)
        return SF_OK;
    SF_TRY(open_part(&d));
    sf_status status = transfer_any(&d, mirrors);
    bool whole = status == SF_OK;
    if (whole)
        status = put_in_place(&d);
    close_part(&d, true); // gone from its name if it is in place
    if (unreachable)
        *unreachable = !whole && !d.asked;
    sf_progress(context, 1.0, NULL);
    return status;
}

/* ---- a file that is made from others --------------------------------------------------------------------- */

/* All of a file without known digest, ended by NUL, into *text (released by the caller with sf_free). */
static sf_status fetch_text(sf_context *context, const char *const *mirrors, const char *name,
                            const sf_fetch_limits *limits, const char *directory, char **text,
                            bool *unreachable)
{
    const sf_catalogue_file file = {.name = name};
    download d = {.context = context, .file = &file, .limits = limits, .directory = directory, .path = name};
    *text = NULL;
    SF_TRY(open_part(&d));
    sf_status status = transfer_any(&d, mirrors);
    if (status == SF_OK && !(*text = sf_alloc(context, d.have + 1, 1)))
        status = SF_ERR_MEMORY;
    if (status == SF_OK) {
        rewind(d.stream);
        (*text)[fread(*text, 1, d.have, d.stream)] = '\0';
        if (ferror(d.stream))
            status = sf_fail(context, SF_ERR_IO, "%s: cannot be read: %s", d.part, strerror(errno));
    }
    close_part(&d, false);
    *unreachable = status != SF_OK && !d.asked;
    sf_progress(context, 1.0, NULL);
    return status;
}

/* Makes the file as a part, and gives it its name if it has the right digest. */
static sf_status make_file(download *d, const sf_catalogue_made *made, char *const *text)
{
    char hex[DIGITS + 1] = "";
    SF_TRY(open_part(d));
    sf_status status = empty_part(d); // of a leftover
    if (status == SF_OK)
        status = made->make(d->context, text, d->stream);
    if (status == SF_OK)
        status = digest(d->context, d->stream, d->part, hex);
    if (status == SF_OK && strcmp(hex, d->file->sha256) != 0)
        status =
            sf_fail(d->context, SF_ERR_DATA, "what was downloaded makes %s with SHA-256 %s, expected %s%s",
                    d->file->name, hex, d->file->sha256, doubt(d->file));
    if (status == SF_OK)
        status = put_in_place(d);
    close_part(d, false);
    return status;
}

sf_status sf_fetch_made(sf_context *context, const char *const *mirrors, const sf_catalogue_made *made,
                        const sf_fetch_limits *limits, const char *directory, char path[SF_PATH_BYTES],
                        bool *cached, bool *unreachable)
{
    download d = {
        .context = context, .file = &made->file, .limits = limits, .directory = directory, .path = path};
    char *text[SF_CATALOGUE_SOURCES] = {NULL};
    bool nobody = false;
    if (snprintf(path, SF_PATH_BYTES, "%s/%s", directory, made->file.name) >= SF_PATH_BYTES)
        return sf_fail(context, SF_ERR_IO, "%.100s...: the path is too long", directory);
    sf_status status = check_existing(&d, cached);
    if (status != SF_OK || *cached)
        return status;
    for (size_t k = 0; k < SF_CATALOGUE_SOURCES && status == SF_OK; k++)
        status = fetch_text(context, mirrors, made->source[k], limits, directory, &text[k], &nobody);
    if (status == SF_OK)
        status = make_file(&d, made, text);
    for (size_t k = 0; k < SF_CATALOGUE_SOURCES; k++)
        sf_free(context, text[k]);
    if (unreachable)
        *unreachable = nobody;
    return status;
}

/* ---- a data set ---------------------------------------------------------------------------------------- */

static sf_status find_entry(sf_context *context, const sf_fetch_request *request,
                            const sf_catalogue_entry **entry)
{
    *entry = request->name ? sf_catalogue_find(request->name) : NULL;
    if (!*entry) {
        char known[256] = "";
        for (size_t i = 0; sf_fetch_name(i); i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
                     sf_fetch_name(i));
        return sf_fail(context, SF_ERR_ARGUMENT, "no data set is called '%s', expected one of: %s",
                       request->name ? request->name : "", known);
    }
    if (request->part && strcmp(request->part, "train") != 0 && strcmp(request->part, "test") != 0)
        return sf_fail(context, SF_ERR_ARGUMENT, "no part is called '%s', expected train or test",
                       request->part);
    if (request->part && !(*entry)->file[0].part)
        return sf_fail(context, SF_ERR_ARGUMENT, "%s comes as a whole, expected no part", request->name);
    return SF_OK;
}

/* given: the address that the caller or $SAMFLOW_MIRROR names, or NULL. */
static sf_status fetch_one(sf_context *context, const sf_catalogue_entry *entry, size_t index,
                           const char *given, const char *directory, char path[SF_PATH_BYTES],
                           sf_fetched *fetched, bool *unreachable)
{
    const char *const mirror[] = {given, NULL};
    const sf_catalogue_file *file = &entry->file[index];
    sf_status status = SF_ERR_IO;
    bool made = entry->made &&
                snprintf(path, SF_PATH_BYTES, "%s/%s", directory, entry->made->file.name) > 0 &&
                access(path, F_OK) == 0;
    if (!made)
        status = sf_fetch_file(context, given ? mirror : entry->mirror, file, &sf_fetch_default_limits,
                               directory, path, &fetched->cached, unreachable);
    if (status == SF_ERR_IO && entry->made && !(given && *unreachable)) {
        file = &entry->made->file;
        status = sf_fetch_made(context, given ? mirror : entry->made->mirror, entry->made,
                               &sf_fetch_default_limits, directory, path, &fetched->cached, unreachable);
    }
    fetched->name = file->name;
    fetched->sha256 = file->sha256;
    fetched->verified = file->verified;
    return status;
}

static sf_status fetch_files(sf_context *context, const sf_fetch_request *request,
                             const sf_catalogue_entry *entry, const char *given, const char *directory)
{
    bool unreachable = false;
    sf_status status = SF_OK;
    for (size_t i = 0; i < SF_CATALOGUE_FILES && entry->file[i].name && status == SF_OK; i++) {
        if (request->part && strcmp(request->part, entry->file[i].part) != 0)
            continue;
        char path[SF_PATH_BYTES];
        sf_fetched fetched = {.path = path};
        status = fetch_one(context, entry, i, given, directory, path, &fetched, &unreachable);
        if (status == SF_OK && request->fetched)
            request->fetched(&fetched, request->user);
    }
    if (request->unreachable)
        *request->unreachable = unreachable;
    return status;
}

sf_status sf_fetch(sf_context *context, const sf_fetch_request *request)
{
    const sf_catalogue_entry *entry;
    SF_TRY(find_entry(context, request, &entry));
    char directory[SF_PATH_BYTES], mirror[SF_PATH_BYTES];
    const char *given = request->mirror, *everything = getenv("SAMFLOW_MIRROR");
    if (!given && everything && *everything) {
        if (snprintf(mirror, sizeof mirror, "%s/%s", everything, entry->name) >= (int)sizeof mirror)
            return sf_fail(context, SF_ERR_ARGUMENT, "the address in SAMFLOW_MIRROR is too long");
        given = mirror;
    }
    if (!request->directory)
        SF_TRY(sf_fetch_directory(context, request->name, directory, sizeof directory));
    else if (*request->directory == '\0' ||
             snprintf(directory, sizeof directory, "%s", request->directory) >= (int)sizeof directory)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "the folder to put the files in is '%.100s', expected a path", request->directory);
    SF_TRY(make_directories(context, directory));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) // counted by libcurl, and ended below
        return sf_fail(context, SF_ERR_INTERNAL, "libcurl did not start");
    sf_status status = fetch_files(context, request, entry, given, directory);
    curl_global_cleanup();
    return status;
}
