#include "node/cli/input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define MARK       "\xef\xbb\xbf"
#define MARK_BYTES 3

/* Read on behind what is not taken yet; false: nothing more comes. */
static bool more(struct cli_input *input)
{
    if (input->at == input->end) {
        input->at = input->end = 0;
    } else if (input->at != 0 && input->end == sizeof input->bytes) {
        memmove(input->bytes, input->bytes + input->at, input->end - input->at);
        input->end -= input->at;
        input->at = 0;
    }
    ssize_t got;
    do {
        got = read(input->fd, input->bytes + input->end, sizeof input->bytes - input->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        input->error = errno;
    if (got <= 0)
        return false;
    input->end += (size_t)got;
    input->offset += (uint64_t)got;
    return true;
}

void cli_input_init(struct cli_input *input, int fd)
{
    input->fd = fd;
    input->error = 0;
    input->line = 1;
    input->offset = 0;
    input->at = input->end = 0;
    while (input->end < MARK_BYTES && memcmp(input->bytes, MARK, input->end) == 0 && more(input))
        continue;
    if (input->end >= MARK_BYTES && memcmp(input->bytes, MARK, MARK_BYTES) == 0)
        input->at = MARK_BYTES;
}

int cli_input_peek(struct cli_input *input)
{
    return input->at < input->end || more(input) ? input->bytes[input->at] : -1;
}

int cli_input_get(struct cli_input *input)
{
    int c = cli_input_peek(input);
    if (c >= 0)
        input->at++;
    input->line += c == '\n';
    return c;
}

static bool has_line(const struct cli_input *input)
{
    return memchr(input->bytes + input->at, '\n', input->end - input->at) != NULL;
}

static bool has_room(const struct cli_input *input)
{
    return input->at != 0 || input->end < sizeof input->bytes;
}

bool cli_input_has_line(struct cli_input *input)
{
    struct pollfd wait = {.fd = input->fd, .events = POLLIN};
    while (!has_line(input) && has_room(input) && poll(&wait, 1, 0) == 1 && more(input))
        continue;
    return has_line(input);
}

static bool is_blank(const struct hs_buf *line)
{
    for (size_t i = 0; i < line->size; i++) {
        if (line->data[i] != ' ' && line->data[i] != '\t')
            return false;
    }
    return true;
}

/* To the end of the line; what is beyond the limit is passed over. */
static int read_line(struct cli_input *input, struct hs_buf *line)
{
    int c = cli_input_get(input);
    while (c >= 0 && c != '\n') {
        if (line->size < CLI_LINE_BYTES_MAX)
            hs_buf_put_u8(line, (uint8_t)c);
        else
            line->err = HS_ETOOBIG;
        c = cli_input_get(input);
    }
    if (line->size != 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return c;
}

bool cli_input_line(struct cli_input *input, struct hs_buf *line, uint64_t *at)
{
    int c;
    hs_buf_reset(line);
    do {
        line->size = 0;
        *at = input->line;
        c = read_line(input, line);
    } while (c >= 0 && line->err == HS_OK && is_blank(line));
    return c >= 0 || !is_blank(line) || line->err != HS_OK;
}
