/* hallsync-relay -- a tcp relay that can lose its line: hallsync-relay LISTEN_PORT HOST PORT.  Prints the port it
 * listens on.
 *
 * SIGUSR1 cuts: from then on nothing passes in either direction and nobody is told, as when packets vanish inside a
 * provider's network. SIGUSR2 heals: connections that both ends still hold go on, the others end.  SIGTERM ends.  With
 * a file as fourth argument every byte that passes is appended to it, so that a test can look for what must not be
 * readable. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX   512
#define CHUNK_BYTES (64 * 1024)

struct pair {
    int end[2]; /* who dialled us, whom we dialled */
};

static struct pair pairs[PAIRS_MAX];
static size_t pair_count;
static int record = -1;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

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
    pairs[pair_count++] = (struct pair){{from, to}};
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = send(fd, data, size, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

static bool pass(int from, int to)
{
    static char chunk[CHUNK_BYTES];
    ssize_t got = recv(from, chunk, sizeof chunk, 0);
    if (got <= 0)
        return false;
    if (record >= 0 && write(record, chunk, (size_t)got) != got)
        die("hallsync-relay: record");
    return write_all(to, chunk, (size_t)got);
}

static void drop(size_t i)
{
    close(pairs[i].end[0]);
    close(pairs[i].end[1]);
    pairs[i] = pairs[--pair_count];
}

static void pass_ready(const struct pollfd *ready)
{
    for (size_t i = pair_count; i-- > 0;) {
        for (int side = 0; side < 2; side++) {
            if (ready[2 * i + (size_t)side].revents != 0 && !pass(pairs[i].end[side], pairs[i].end[1 - side])) {
                drop(i);
                break;
            }
        }
    }
}

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

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: hallsync-relay LISTEN_PORT HOST PORT [RECORD_FILE]\n");
        return 2;
    }
    if (argc > 4 && (record = open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        die("hallsync-relay: record");
    int signals = open_signals(), listener = listen_on(argv[1]);
    bool cut = false;
    for (;;) {
        static struct pollfd polled[2 + 2 * PAIRS_MAX];
        size_t count = 1;
        polled[0] = (struct pollfd){signals, POLLIN, 0};
        if (!cut) {
            polled[count++] = (struct pollfd){listener, POLLIN, 0};
            for (size_t i = 0; i < pair_count; i++) {
                polled[count++] = (struct pollfd){pairs[i].end[0], POLLIN, 0};
                polled[count++] = (struct pollfd){pairs[i].end[1], POLLIN, 0};
            }
        }
        if (poll(polled, count, -1) < 0)
            continue;
        if (polled[0].revents != 0 && !take_signal(signals, &cut))
            return 0;
        if (cut || count == 1)
            continue;
        bool dialled = polled[1].revents != 0;
        pass_ready(polled + 2);
        if (dialled)
            accept_one(listener, argv[2], argv[3]);
    }
}
