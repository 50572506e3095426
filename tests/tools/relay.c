/* hallsync-relay -- a tcp relay that can lose its line, be slow, and break in the middle of a message.
 *
 *   hallsync-relay [-d DELAY_MS] [-c LEAST-MOST] [-s SEED] [-r RECORD_FILE] LISTEN_PORT HOST PORT
 *
 * Prints the port it listens on.  SIGUSR1 cuts: from then on nothing passes in either direction and nobody is told, as
 * when packets vanish inside a provider's network. SIGUSR2 heals: connections that both ends still hold go on, the
 * others end.  SIGTERM ends.
 *
 * -d: every byte arrives so much later.  -c: each connection breaks when so many bytes have passed, both ways counted;
 * the number is drawn anew for each, and so is how it breaks: closed, reset, or silent from then on.  What is before
 * the break arrives, to the byte.  -r: every byte that passes is appended to the file, so that a test can look for what
 * must not be readable. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX     512
#define CHUNK_BYTES   (64 * 1024)
#define WAITING_BYTES (1024 * 1024) /* a way that holds more is not read from: the sender must wait, as on a line */

/* ---- what passes ---- */

struct chunk {
    struct chunk *next;
    uint64_t due_ms;
    size_t size, sent;
    char bytes[];
};

struct way {
    int from, to;
    struct chunk *first, *last;
    size_t waiting;
    bool over; /* its sender has closed */
};

enum how { HOW_CLOSED, HOW_RESET, HOW_SILENT, HOW_COUNT };

struct pair {
    struct way way[2]; /* from who dialled us to whom we dialled, and back */
    uint64_t left;     /* bytes until it breaks */
    enum how how;
};

static struct {
    uint64_t delay_ms, cut_least, cut_most, seed;
    int record;
} options = {.record = -1};

static struct pair pairs[PAIRS_MAX];
static size_t pair_count;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t draw(uint64_t below) /* splitmix64 */
{
    uint64_t x = options.seed += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (x ^ x >> 31) % below;
}

/* ---- connections ---- */

static int listen_on(const char *port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 64) != 0)
        die("hallsync-relay: listen");
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void accept_one(int listener, const char *host, const char *port)
{
    int one = 1, from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int to = from < 0 || pair_count == PAIRS_MAX ? -1 : dial(host, port);
    if (to < 0) {
        if (from >= 0)
            close(from);
        return;
    }
    setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct pair *pair = &pairs[pair_count++];
    *pair = (struct pair){.way = {{.from = from, .to = to}, {.from = to, .to = from}}, .left = UINT64_MAX};
    if (options.cut_most > 0) {
        pair->left = options.cut_least + draw(options.cut_most - options.cut_least + 1);
        pair->how = (enum how)draw(HOW_COUNT);
    }
}

static void forget(struct way *way)
{
    while (way->first != NULL) {
        struct chunk *chunk = way->first;
        way->first = chunk->next;
        free(chunk);
    }
    way->waiting = 0;
}

static void drop(size_t i)
{
    struct pair *pair = &pairs[i];
    for (int side = 0; side < 2; side++) {
        struct linger at_once = {.l_onoff = 1};
        forget(&pair->way[side]);
        if (pair->left == 0 && pair->how == HOW_RESET)
            setsockopt(pair->way[side].from, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(pair->way[side].from);
    }
    pairs[i] = pairs[--pair_count];
}

/* ---- passing ---- */

static void take(struct pair *pair, struct way *way)
{
    static char bytes[CHUNK_BYTES];
    ssize_t got = recv(way->from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        way->over = true;
        return;
    }
    if (options.record >= 0 && write(options.record, bytes, (size_t)got) != got)
        die("hallsync-relay: record");
    if (pair->left == 0)
        return; /* silent */
    size_t size = (uint64_t)got < pair->left ? (size_t)got : (size_t)pair->left;
    pair->left -= pair->left == UINT64_MAX ? 0 : size;
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (chunk == NULL)
        die("hallsync-relay");
    *chunk = (struct chunk){.due_ms = now_ms() + options.delay_ms, .size = size};
    memcpy(chunk->bytes, bytes, size);
    if (way->first == NULL)
        way->first = chunk;
    else
        way->last->next = chunk;
    way->last = chunk;
    way->waiting += size;
}

/* Send what is due; false: the receiver is gone. */
static bool give(struct way *way, uint64_t now)
{
    while (way->first != NULL && way->first->due_ms <= now) {
        struct chunk *chunk = way->first;
        ssize_t put = send(way->to, chunk->bytes + chunk->sent, chunk->size - chunk->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (put < 0)
            return false;
        chunk->sent += (size_t)put;
        way->waiting -= (size_t)put;
        if (chunk->sent < chunk->size)
            return true;
        way->first = chunk->next;
        free(chunk);
    }
    return true;
}

static bool reads(const struct pair *pair, const struct way *way)
{
    return (pair->left > 0 || pair->how == HOW_SILENT) && !way->over && way->waiting < WAITING_BYTES;
}

static void pass_all(const struct pollfd *ready)
{
    uint64_t now = now_ms();
    for (size_t i = pair_count; i-- > 0;) {
        struct pair *pair = &pairs[i];
        bool gone = false, done = pair->left == 0;
        for (int side = 0; side < 2; side++) {
            struct way *way = &pair->way[side];
            if ((ready[2 * i + (size_t)side].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && reads(pair, way))
                take(pair, way);
        }
        for (int side = 0; side < 2; side++) {
            struct way *way = &pair->way[side];
            gone |= !give(way, now) || (way->over && way->first == NULL);
            done &= way->first == NULL;
        }
        if (gone || (done && pair->left == 0 && pair->how != HOW_SILENT))
            drop(i);
    }
}

/* What to wait for; answers how long, -1 for ever. */
static int prepare(struct pollfd *polled)
{
    uint64_t now = now_ms(), least = UINT64_MAX;
    for (size_t i = 0; i < pair_count; i++) {
        for (int side = 0; side < 2; side++) {
            const struct way *in = &pairs[i].way[side], *out = &pairs[i].way[1 - side]; /* both of this side's socket */
            short events = reads(&pairs[i], in) ? POLLIN : 0;
            if (out->first != NULL && out->first->due_ms <= now)
                events |= POLLOUT;
            else if (out->first != NULL && out->first->due_ms < least)
                least = out->first->due_ms;
            /* A socket without events is left out: it would wake us by POLLHUP again and again. */
            polled[2 * i + (size_t)side] = (struct pollfd){events != 0 ? in->from : -1, events, 0};
        }
    }
    return least == UINT64_MAX ? -1 : (int)(least - now);
}

/* ---- life ---- */

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool take_signal(int fd, bool *cut)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return true;
    if (info.ssi_signo == SIGUSR1)
        *cut = true;
    else if (info.ssi_signo == SIGUSR2)
        *cut = false;
    else
        return false;
    return true;
}

static bool take_options(int argc, char **argv)
{
    int option;
    char *rest = NULL;
    while ((option = getopt(argc, argv, "d:c:s:r:")) != -1) {
        if (option == 'd')
            options.delay_ms = strtoull(optarg, NULL, 10);
        else if (option == 's')
            options.seed = strtoull(optarg, NULL, 10);
        else if (option == 'r')
            options.record = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        else if (option != 'c')
            return false;
        if (option == 'r' && options.record < 0)
            die("hallsync-relay: record");
        if (option == 'c') {
            options.cut_least = strtoull(optarg, &rest, 10);
            options.cut_most = *rest == '-' ? strtoull(rest + 1, NULL, 10) : 0;
            if (options.cut_least == 0 || options.cut_most < options.cut_least)
                return false;
        }
    }
    return argc - optind == 3;
}

int main(int argc, char **argv)
{
    if (!take_options(argc, argv)) {
        fprintf(stderr, "usage: hallsync-relay [-d DELAY_MS] [-c LEAST-MOST] [-s SEED] [-r RECORD_FILE] "
                        "LISTEN_PORT HOST PORT\n");
        return 2;
    }
    int signals = open_signals(), listener = listen_on(argv[optind]);
    bool cut = false;
    for (;;) {
        static struct pollfd polled[2 + 2 * PAIRS_MAX];
        polled[0] = (struct pollfd){signals, POLLIN, 0};
        polled[1] = (struct pollfd){listener, POLLIN, 0};
        int wait = cut ? -1 : prepare(polled + 2);
        if (poll(polled, cut ? 1 : 2 + 2 * pair_count, wait) < 0)
            continue;
        if (polled[0].revents != 0 && !take_signal(signals, &cut))
            return 0;
        if (cut)
            continue;
        bool dialled = polled[1].revents != 0;
        pass_all(polled + 2);
        if (dialled)
            accept_one(listener, argv[optind + 1], argv[optind + 2]);
    }
}
