/* option.h -- --log-format of the programs that log: a child parser for argp, whose input is a struct hs_log_option. */
#ifndef HS_LOG_OPTION_H
#define HS_LOG_OPTION_H

#include "node/log/log.h"

#include <argp.h>

struct hs_log_option {
    bool is_given; /* else as configured */
    enum hs_log_format format;
};
extern const struct argp hs_log_argp;

#endif
