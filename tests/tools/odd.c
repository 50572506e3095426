/* hallsync-odd -- what has a hub's keys and is none: for tests of what the nodes that dial it say.
 *
 *   hallsync-odd CONFIG version|garbage|mute
 *
 * Prints the port it listens on.  To each node that comes it says of itself that it speaks only a later version of the
 * protocol, or something that is no frame, or nothing.  SIGTERM ends. */
#include "node/conf/conf.h"
#include "node/link/keys.h"
#include "node/link/link.h"
#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"

#include <stdio.h>
#include <string.h>

#define LATER_VERSION 9

static bool put_hello(const struct hs_keys *keys, struct hs_buf *frame)
{
    static uint8_t process_id[16] = {1};
    struct hs_bytes bytes = hs_buf_bytes(&keys->certificate);
    Hallsync__PeerHello hello = HALLSYNC__PEER_HELLO__INIT;
    hello.certificate = hallsync__certificate__unpack(NULL, bytes.size, bytes.data);
    if (hello.certificate == NULL)
        return false;
    hello.version_min = hello.version_max = LATER_VERSION;
    hello.process_id = (ProtobufCBinaryData){sizeof process_id, process_id};
    hello.everything = true;
    hello.credit = HS_CREDIT_BYTES_MIN;
    hs_frame_encode(HALLSYNC__PEER_TYPE__PEER_HELLO, 1, &hello.base, frame);
    hallsync__certificate__free_unpacked(hello.certificate, NULL);
    return frame->err == HS_OK;
}

static bool put_words(const char *manner, const struct hs_keys *keys, struct hs_buf *frame)
{
    if (strcmp(manner, "version") == 0)
        return put_hello(keys, frame);
    if (strcmp(manner, "garbage") == 0)
        hs_buf_put_format(frame, "good evening");
    return frame->err == HS_OK;
}

/* To whoever has said his first word. */
static void answer_all(struct hs_link *link, struct hs_bytes words)
{
    struct hs_link_event event;
    for (;;) {
        if (hs_link_next(link, hs_link_now_ms() + 1000, &event) == HS_OK && event.type == HS_LINK_FRAME &&
            words.size > 0)
            hs_link_send(link, event.peer, words);
    }
}

int main(int argc, char **argv)
{
    struct hs_conf conf = {0};
    struct hs_keys keys = {0};
    struct hs_buf frame = {0};
    struct hs_link *link = NULL;
    struct hs_why why = {{0}};
    const char *listen = "tcp://127.0.0.1:0";
    if (argc != 3) {
        fprintf(stderr, "Usage: hallsync-odd CONFIG version|garbage|mute\n");
        return 2;
    }
    enum hs_err err = hs_conf_load(argv[1], &conf, &why);
    if (err == HS_OK)
        err = hs_keys_load(conf.node.data, &keys, &why);
    if (err == HS_OK && !put_words(argv[2], &keys, &frame))
        err = HS_ENOMEM;
    struct hs_link_options options = {
        .listen = &listen, .listen_count = 1, .curve_public = keys.curve_key, .curve_secret = keys.curve_secret};
    if (err == HS_OK)
        err = hs_link_new(&options, &link, &why);
    if (err != HS_OK) {
        fprintf(stderr, "hallsync-odd: %s: %s\n", hs_err_name(err), why.text);
        return 1;
    }
    printf("%s\n", strrchr(hs_link_address(link, 0), ':') + 1);
    fflush(stdout);
    answer_all(link, hs_buf_bytes(&frame));
}
