#include "node/link/address.h"

#include "node/link/link.h"

#include <arpa/inet.h>
#include <string.h>

#define SCHEME          "tcp://"
#define SCHEME_BYTES    (sizeof SCHEME - 1)
#define PORT_MAX        65535
#define LABEL_BYTES_MAX 63

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_label_character(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool is_name(const char *host)
{
    size_t label = 0;
    for (const char *at = host; *at != '\0'; at++) {
        label = *at == '.' ? 0 : label + 1;
        if (*at == '.' ? at == host || at[-1] == '.' : !is_label_character(*at) || label > LABEL_BYTES_MAX)
            return false;
    }
    return host[0] != '\0';
}

/* Digits and dots only: an address or nothing, never a name. */
static bool looks_like_v4(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host);
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;
    if (strcmp(text, "*") == 0) {
        *port = 0;
        return true;
    }
    if (text[0] == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (!is_digit(*text))
            return false;
        value = value * 10 + (unsigned long)(*text - '0');
    }
    *port = (uint16_t)value;
    return value <= PORT_MAX;
}

static bool parse_host(const char *text, size_t size, struct hs_address *address)
{
    struct in6_addr raw;
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    if (bracketed) {
        text++;
        size -= 2;
    }
    memcpy(address->host, text, size);
    address->host[size] = '\0';
    if (bracketed) {
        address->form = HS_HOST_V6;
        return inet_pton(AF_INET6, address->host, &raw) == 1;
    }
    if (strcmp(address->host, "*") == 0) {
        address->form = HS_HOST_ANY;
        return true;
    }
    bool v4 = looks_like_v4(address->host);
    address->form = v4 ? HS_HOST_V4 : HS_HOST_NAME;
    return v4 ? inet_pton(AF_INET, address->host, &raw) == 1 : is_name(address->host);
}

static bool parse(const char *text, struct hs_address *address)
{
    size_t size = strnlen(text, HS_ADDRESS_BYTES_MAX + 1);
    if (size > HS_ADDRESS_BYTES_MAX || strncmp(text, SCHEME, SCHEME_BYTES) != 0)
        return false;
    const char *host = text + SCHEME_BYTES;
    const char *colon = strrchr(host, ':');
    return colon != NULL && parse_host(host, (size_t)(colon - host), address) && parse_port(colon + 1, &address->port);
}

enum hs_err hs_address_parse(const char *text, struct hs_address *address, struct hs_why *why)
{
    if (parse(text, address))
        return HS_OK;
    return hs_fail(HS_EADDRESS, why,
                   "'%.*s' is not an address: tcp://HOST:PORT, HOST a name, an IPv4 or an [IPv6] address",
                   HS_ADDRESS_BYTES_MAX, text);
}

enum hs_err hs_link_check_address(const char *address, struct hs_why *why)
{
    struct hs_address parsed;
    return hs_address_parse(address, &parsed, why);
}
