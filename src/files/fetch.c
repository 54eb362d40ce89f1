/* Downloads by libcurl. A file grows as NAME.part beside its final place, which is locked so that two runs do
 * not write into it; when its SHA-256 is right it takes its name, in one step. A part left by an interrupted
 * run is continued by a range request; where the server knows no ranges, or what results has the wrong
 * SHA-256, it is loaded anew.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "files/catalogue.h"

enum {
    CONNECT_SECONDS = 20,
    STALL_SECONDS = 60,
    REDIRECTS = 5,
    LARGEST_FILE = 1 << 28,
    REASONS = 1024,
    DIGITS = 64
};

typedef struct download {
    sf_context *context;
    const sf_catalogue_file *file;
    const char *path;
    char part[SF_PATH_BYTES];
    FILE *stream;          // the part, open for reading and writing
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
                       "%s: is there, but with SHA-256 %s, expected %s; move it away to download the file",
                       d->path, hex, d->file->sha256);
    return SF_OK;
}

static sf_status open_part(download *d)
{
    int descriptor = open(d->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return sf_fail(d->context, SF_ERR_IO, "%s: %s", d->part, strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN)) {
        close(descriptor);
        return sf_fail(d->context, SF_ERR_IO, "%s: another process is downloading it", d->part);
    }
    d->stream = fdopen(descriptor, "r+b");
    if (!d->stream) {
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

/* ---- one transfer -------------------------------------------------------------------------------------- */

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    (void)up_total;
    (void)up_now;
    download *d = user;
    sf_progress(d->context, total > 0 ? fmin((double)now / (double)total, 0.999) : NAN, d->file->name);
    return sf_cancelled(d->context); // not 0 aborts
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
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)LARGEST_FILE);
    char agent[64];
    snprintf(agent, sizeof agent, "samflow/%s", sf_version());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, agent); // copied
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, d->stream);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, d);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void note_reason(download *d, const char *url, const char *reason)
{
    size_t used = strlen(d->reasons);
    snprintf(d->reasons + used, sizeof d->reasons - used, "%s%s: %s", used ? "; " : "", url, reason);
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
    CURL *curl = curl_easy_init();
    if (!curl)
        return sf_fail(d->context, SF_ERR_MEMORY, "%s: out of memory", url);
    set_options(curl, d, url, error);
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)have);
    CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(curl);
    if (fflush(d->stream) != 0 || code == CURLE_WRITE_ERROR)
        return sf_fail(d->context, SF_ERR_IO, "%s: cannot be written: %s", d->part, strerror(errno));
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return sf_fail(d->context, SF_ERR_CANCELLED, "%s: interrupted; the next run goes on from here",
                       d->file->name);
    // 416: the part is as long as the file, or longer; the digest tells
    bool at_end = have > 0 && (answer == 416 || code == CURLE_BAD_DOWNLOAD_RESUME);
    *restart = have > 0 && code == CURLE_RANGE_ERROR;
    *moved = code == CURLE_OK || at_end;
    if (!*moved && !*restart)
        note_reason(d, url, *error ? error : curl_easy_strerror(code));
    return SF_OK;
}

/* The part from one mirror, checked; *done if it is the file. */
static sf_status transfer(download *d, const char *url, bool *done)
{
    char hex[DIGITS + 1] = "";
    *done = false;
    for (;;) {
        bool restart, moved;
        struct stat about;
        bool resumed = fstat(fileno(d->stream), &about) == 0 && about.st_size > 0;
        SF_TRY(transfer_once(d, url, &restart, &moved));
        if (!moved && !restart)
            return SF_OK;
        if (moved) {
            SF_TRY(digest(d->context, d->stream, d->part, hex));
            *done = strcmp(hex, d->file->sha256) == 0;
            if (*done)
                return SF_OK;
        }
        SF_TRY(empty_part(d));
        if (!resumed) {
            char reason[160];
            snprintf(reason, sizeof reason, "has SHA-256 %s, expected %s", hex, d->file->sha256);
            note_reason(d, url, reason);
            d->wrong_digest = true;
            return SF_OK;
        }
    }
}

static sf_status put_in_place(download *d)
{
    if (fflush(d->stream) != 0 || fsync(fileno(d->stream)) != 0 || rename(d->part, d->path) != 0)
        return sf_fail(d->context, SF_ERR_IO, "%s: cannot be put in place: %s", d->path, strerror(errno));
    return SF_OK;
}

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
            return put_in_place(d);
    }
    return sf_fail(d->context, d->wrong_digest ? SF_ERR_DATA : SF_ERR_IO,
                   "%s could not be downloaded (%s).\nWithout a network, get the file elsewhere, put it at "
                   "%s (SHA-256 %s) "
                   "and run this again, or name a mirror within reach",
                   d->file->name, d->reasons, d->path, d->file->sha256);
}

sf_status sf_fetch_file(sf_context *context, const char *const *mirrors, const sf_catalogue_file *file,
                        const char *directory, char path[SF_PATH_BYTES], bool *cached)
{
    download d = {.context = context, .file = file, .path = path};
    if (snprintf(path, SF_PATH_BYTES, "%s/%s", directory, file->name) >= SF_PATH_BYTES ||
        snprintf(d.part, sizeof d.part, "%s/%s.part", directory, file->name) >= (int)sizeof d.part)
        return sf_fail(context, SF_ERR_IO, "%.100s...: the path is too long", directory);
    SF_TRY(check_existing(&d, cached));
    if (*cached)
        return SF_OK;
    SF_TRY(open_part(&d));
    sf_status status = transfer_any(&d, mirrors);
    struct stat about;
    if (status != SF_OK && fstat(fileno(d.stream), &about) == 0 && about.st_size == 0)
        unlink(d.part); // nothing worth keeping
    fclose(d.stream);
    sf_progress(context, 1.0, NULL);
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
    return SF_OK;
}

static sf_status fetch_files(sf_context *context, const sf_fetch_request *request,
                             const sf_catalogue_entry *entry, const char *directory)
{
    const char *const given[] = {request->mirror, NULL};
    for (size_t i = 0; i < SF_CATALOGUE_FILES; i++) {
        const sf_catalogue_file *file = &entry->file[i];
        if (request->part && strcmp(request->part, file->part) != 0)
            continue;
        bool cached;
        char path[SF_PATH_BYTES];
        SF_TRY(
            sf_fetch_file(context, request->mirror ? given : entry->mirror, file, directory, path, &cached));
        if (request->fetched)
            request->fetched(&(sf_fetched){file->name, path, file->sha256, cached}, request->user);
    }
    return SF_OK;
}

sf_status sf_fetch(sf_context *context, const sf_fetch_request *request)
{
    const sf_catalogue_entry *entry;
    SF_TRY(find_entry(context, request, &entry));
    char directory[SF_PATH_BYTES];
    if (!request->directory)
        SF_TRY(sf_fetch_directory(context, request->name, directory, sizeof directory));
    else if (*request->directory == '\0' ||
             snprintf(directory, sizeof directory, "%s", request->directory) >= (int)sizeof directory)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "the folder to put the files in is '%.100s', expected a path", request->directory);
    SF_TRY(make_directories(context, directory));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) // counted by libcurl, and ended below
        return sf_fail(context, SF_ERR_INTERNAL, "libcurl did not start");
    sf_status status = fetch_files(context, request, entry, directory);
    curl_global_cleanup();
    return status;
}
