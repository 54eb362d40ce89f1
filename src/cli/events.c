/* --events FILE: what happens, a JSON object a line, each written at once and appended, so that a supervisor can follow
 * several runs in one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#define PROGRESS_EVERY 1.0 // seconds

typedef struct sf_cli_events {
    FILE *stream;
    double began, last; // since 1970; of the last progress
} sf_cli_events;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static sf_json begin(const sf_cli *cli, const char *event)
{
    sf_json json = sf_json_make(cli->events->stream, false);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "event", event);
    sf_json_number(&json, "time", now());
    return json;
}

static void end(sf_json *json)
{
    sf_json_close_object(json);
    sf_json_finish(json);
}

int sf_cli_open_events(sf_cli *cli)
{
    if (!cli->events_path)
        return -1;
    cli->events = calloc(1, sizeof *cli->events);
    if (!cli->events)
        return sf_cli_no_memory(cli);
    cli->events->stream = fopen(cli->events_path, "a");
    if (!cli->events->stream) {
        free(cli->events);
        cli->events = NULL;
        return sf_cli_say(cli, SF_ERR_IO, "events '%s': cannot be written: %s", cli->events_path,
                          strerror(errno));
    }
    cli->events->began = now();
    sf_json json = begin(cli, "started");
    sf_json_string(&json, "command", cli->command->name);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "file", cli->file);
    sf_json_string(&json, "output", cli->output);
    end(&json);
    return -1;
}

void sf_cli_progress_event(sf_cli *cli, double fraction, const char *note)
{
    if (!cli->events)
        return;
    double time = now();
    if (time - cli->events->last < PROGRESS_EVERY)
        return;
    cli->events->last = time;
    sf_json json = begin(cli, "progress");
    sf_json_number(&json, "fraction", fraction);
    sf_json_string(&json, "note", note);
    end(&json);
}

void sf_cli_failure_event(const sf_cli *cli, const char *event, const char *name, const char *reason)
{
    if (!cli->events)
        return;
    sf_json json = begin(cli, event);
    sf_json_string(&json, "name", name);
    sf_json_string(&json, "reason", reason);
    end(&json);
}

void sf_cli_close_events(sf_cli *cli, int code)
{
    if (!cli->events)
        return;
    sf_json json = begin(cli, "finished");
    sf_json_integer(&json, "code", code);
    sf_json_bool(&json, "stopped", sf_cli_stopped());
    sf_json_number(&json, "seconds", now() - cli->events->began);
    end(&json);
    fclose(cli->events->stream);
    free(cli->events);
    cli->events = NULL;
}
