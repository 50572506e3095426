#include "node/log/option.h"

enum { OPTION_LOG_FORMAT = 256 };

static const struct argp_option OPTIONS[] = {
    {"log-format", OPTION_LOG_FORMAT, "FORMAT", 0, "text, json, journal or auto, whatever log.format says", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct hs_log_option *option = state->input;
    if (key != OPTION_LOG_FORMAT)
        return ARGP_ERR_UNKNOWN;
    if (!hs_log_format_parse(value, &option->format))
        argp_error(state, "--log-format: '%s' is not text, json, journal or auto", value);
    option->is_given = true;
    return 0;
}

const struct argp hs_log_argp = {OPTIONS, parse, NULL, NULL, NULL, NULL, NULL};
