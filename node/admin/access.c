#include "node/admin/access.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

#define HOST_BYTES_MAX 260
#define PORT_MAX       65535

/* ---- addresses ---- */

static bool port_of(const char *text, uint16_t *port)
{
    unsigned value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    *port = (uint16_t)value;
    return value <= PORT_MAX;
}

/* "host", "host:port", "[v6]:port": the host without brackets, and what stands behind it. */
static bool split(const char *text, char *host, size_t room, const char **rest)
{
    bool bracket = text[0] == '[';
    const char *begin = text + bracket;
    size_t size = strcspn(begin, bracket ? "]" : ":");
    if (size == 0 || size >= room || (bracket && begin[size] != ']'))
        return false;
    memcpy(host, begin, size);
    host[size] = '\0';
    *rest = begin + size + bracket;
    return **rest == '\0' || **rest == ':';
}

static bool v4_loopback(const struct in_addr *address)
{
    return (ntohl(address->s_addr) >> 24) == 127;
}

enum hs_err admin_listen_parse(const char *text, struct admin_listen *listen)
{
    struct in_addr v4;
    struct in6_addr v6;
    const char *rest;
    *listen = (struct admin_listen){0};
    if (!split(text, listen->host, sizeof listen->host, &rest) || rest[0] != ':' || !port_of(rest + 1, &listen->port))
        return HS_EADDRESS;
    if (text[0] == '[' && inet_pton(AF_INET6, listen->host, &v6) == 1) {
        listen->v6 = true;
        listen->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
        return HS_OK;
    }
    if (text[0] == '[' || inet_pton(AF_INET, listen->host, &v4) != 1)
        return HS_EADDRESS;
    listen->loopback = v4_loopback(&v4);
    return HS_OK;
}

/* ---- Host and Origin ---- */

static bool in_digits(const char *host, bool bracket)
{
    uint8_t raw[sizeof(struct in6_addr)];
    return inet_pton(bracket ? AF_INET6 : AF_INET, host, raw) == 1;
}

bool admin_host_right(const char *host, char *const *names, size_t name_count)
{
    char name[HOST_BYTES_MAX];
    const char *rest;
    uint16_t port;
    if (!split(host, name, sizeof name, &rest) || (*rest == ':' && !port_of(rest + 1, &port)))
        return false;
    if (in_digits(name, host[0] == '['))
        return true;
    if (host[0] == '[')
        return false;
    bool right = strcasecmp(name, "localhost") == 0;
    for (size_t i = 0; i < name_count; i++)
        right = right || strcasecmp(name, names[i]) == 0;
    return right;
}

bool admin_origin_right(const char *origin, const char *host, bool tls)
{
    const char *scheme = tls ? "https://" : "http://";
    size_t size = strlen(scheme);
    return strncmp(origin, scheme, size) == 0 && strcasecmp(origin + size, host) == 0;
}

/* ---- headers ---- */

bool admin_cookie(const char *header, const char *name, char *value, size_t room)
{
    size_t name_size = strlen(name);
    unsigned found = 0;
    bool fits = true;
    while (*header != '\0') {
        header += strspn(header, " \t;");
        size_t size = strcspn(header, ";");
        if (size > name_size && strncmp(header, name, name_size) == 0 && header[name_size] == '=') {
            size_t bytes = size - name_size - 1;
            while (bytes != 0 && (header[name_size + bytes] == ' ' || header[name_size + bytes] == '\t'))
                bytes--;
            found++;
            fits = fits && bytes < room;
            if (fits) {
                memcpy(value, header + name_size + 1, bytes);
                value[bytes] = '\0';
            }
        }
        header += size;
    }
    return found == 1 && fits;
}

bool admin_basic(const char *header, struct admin_basic *basic)
{
    unsigned char text[HS_USER_NAME_BYTES + HS_USER_PASSWORD_BYTES_MAX + 2];
    size_t size = 0;
    *basic = (struct admin_basic){.name = ""};
    if (strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6 + strspn(header + 6, " ");
    bool right = sodium_base642bin(text, sizeof text - 1, header, strlen(header), NULL, &size, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) == 0 &&
                 memchr(text, '\0', size) == NULL;
    text[right ? size : 0] = '\0';
    char *colon = strchr((char *)text, ':');
    if (right && colon != NULL) {
        *colon = '\0';
        right = hs_user_name_valid((char *)text) && strlen(colon + 1) <= HS_USER_PASSWORD_BYTES_MAX;
        if (right) {
            memcpy(basic->name, text, strlen((char *)text) + 1);
            memcpy(basic->password, colon + 1, strlen(colon + 1) + 1);
        }
    }
    sodium_memzero(text, sizeof text);
    return right && colon != NULL;
}

/* The next word of a comma-separated list, without blanks; 0: there is no more. */
static size_t next_word(const char **at, const char **word)
{
    *at += strspn(*at, " \t,");
    *word = *at;
    size_t size = strcspn(*at, ",");
    *at += size;
    while (size != 0 && ((*word)[size - 1] == ' ' || (*word)[size - 1] == '\t'))
        size--;
    return size;
}

/* "gzip;q=0" says that it does not; other weights say that it does. */
static bool says_no(const char *weight, size_t size)
{
    size_t at = 0;
    while (at < size && (weight[at] == ' ' || weight[at] == ';'))
        at++;
    if (size - at < 3 || strncasecmp(weight + at, "q=0", 3) != 0)
        return false;
    for (at += 3; at < size; at++) {
        if (weight[at] != '.' && weight[at] != '0')
            return false;
    }
    return true;
}

bool admin_takes_gzip(const char *header)
{
    const char *word;
    for (size_t size = next_word(&header, &word); size != 0; size = next_word(&header, &word)) {
        if (size >= 4 && strncasecmp(word, "gzip", 4) == 0 && (size == 4 || word[4] == ';' || word[4] == ' '))
            return !says_no(word + 4, size - 4);
    }
    return false;
}

bool admin_tag_matches(const char *header, const char *tag)
{
    const char *word;
    size_t tag_size = strlen(tag);
    for (size_t size = next_word(&header, &word); size != 0; size = next_word(&header, &word)) {
        if (size > 2 && strncmp(word, "W/", 2) == 0) {
            word += 2;
            size -= 2;
        }
        if (size == tag_size && memcmp(word, tag, size) == 0)
            return true;
    }
    return false;
}

bool admin_same(const char *a, const char *b)
{
    size_t size = strlen(a);
    return size == strlen(b) && sodium_memcmp(a, b, size) == 0;
}
