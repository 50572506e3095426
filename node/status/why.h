/* why.h -- why a node is behind another one: one cause of a closed list, what shows it, and what to do next.
 *
 * A pure function of what the node says of itself (StatusReply); whoever shows a status asks it, so that the command
 * line, the console and metrics say the same.  Each cause, and each sentence of evidence, is declared once, below. */
#ifndef HS_STATUS_WHY_H
#define HS_STATUS_WHY_H

#include "node/status/amount.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/local.pb-c.h"

#include <stdbool.h>

/* TROUBLE: somebody has to do something, or should know; MOVING: it goes on by itself; WELL: it is not behind. */
enum hs_cause_sort { HS_CAUSE_WELL, HS_CAUSE_MOVING, HS_CAUSE_TROUBLE };

/* X(id, name, sort, en, zh, next step en, zh, its command).  Where several hold, the one that stands first is told: it
 * is also the order of the worst first.  {node} in a command is the other node; the names never change once released.
 */
#define HS_CAUSES(X)                                                                                                   \
    X(OWN, "own", TROUBLE, "the node is among its own upstreams", "该节点将自己列为上级",                              \
      "take its own address out of upstreams in hallsync.yaml, and restart it",                                        \
      "从 hallsync.yaml 的 upstreams 中删除自己的地址，然后重启", "hallsync status")                                   \
    X(REFUSED_KEY, "refused-key", TROUBLE,                                                                             \
      "a key is not taken: it was revoked, or is another one than upstreams names",                                    \
      "密钥不被接受：已被吊销，或与 upstreams 中所填的不同",                                                           \
      "hold the key in upstreams of hallsync.yaml against the hub's (node show, at the hub); a revoked node joins "    \
      "anew",                                                                                                          \
      "核对 hallsync.yaml 中 upstreams 的密钥与区域中心的密钥（在区域中心上运行 node show）；已吊销的节点须重新加入",  \
      "hallsync node show {node}")                                                                                     \
    X(REFUSED_VERSION, "refused-version", TROUBLE, "the two programs have no version of the protocol in common",       \
      "双方程序没有共同的协议版本", "install the newer version of hallsync at the older of the two",                   \
      "在版本较旧的一方安装新版 hallsync", "hallsync version")                                                         \
    X(CERTIFICATE, "certificate", TROUBLE, "the certificate does not hold: of another region, or an older one",        \
      "证书无效：属于其他地区，或是旧证书",                                                                            \
      "an older certificate is replaced by itself at once; of another region: it must join this one",                  \
      "旧证书会自动更换；若属于其他地区，须重新加入本地区", "hallsync node show {node}")                               \
    X(SCOPE, "scope", TROUBLE, "their districts or roles do not fit: the upper node must hold all of the lower's",     \
      "双方的供电区或角色不相符：上级须包含下级的全部供电区",                                                          \
      "dial a hub that holds these districts, or change the districts of one of them",                                 \
      "改连包含这些供电区的区域中心，或更改其中一方的供电区", "hallsync node show {node}")                             \
    X(NO_UPSTREAM, "no-upstream", TROUBLE, "no hub is configured: what is written here stays here",                    \
      "未配置区域中心：在此写入的内容只留在本机", "name a hub under upstreams in hallsync.yaml, and restart",          \
      "在 hallsync.yaml 的 upstreams 中填写区域中心，然后重启", "hallsync status")                                     \
    X(PROTOCOL, "protocol", TROUBLE, "what one side sends breaks a rule of the protocol: each session ends at once",   \
      "一方发送的内容违反协议，会话随即结束",                                                                          \
      "check this node's store, and install the same version of hallsync at both; if it goes on, send the logs",       \
      "检查本机存储，并在双方安装相同版本的 hallsync；若仍出现，请提供日志", "hallsync verify")                        \
    X(STOPPED, "stopped-stream", TROUBLE, "a stream does not go on: what comes does not continue what is held here",   \
      "有数据流中断：收到的内容与本机所存不相接", "see which one, and what to do; everything else goes on",            \
      "查看是哪一条数据流以及如何处理；其余照常进行", "hallsync conflict list --type stopped")                         \
    X(FORK, "fork", TROUBLE, "one node has signed two contents under one number: its stream is disputed",              \
      "同一节点在同一编号下签署了两种内容：该数据流有争议",                                                            \
      "find out whether its directory was copied or its key stolen, and revoke that key",                              \
      "查明其目录是否被复制或密钥是否被盗，并吊销该密钥", "hallsync conflict list --type fork")                        \
    X(DAMAGE, "damage", TROUBLE, "records that were made of the same operations differ: one of the two is damaged",    \
      "由相同操作得出的记录不一致：其中一方已损坏", "see which records, and repair the node that is damaged",          \
      "查看是哪些记录，并修复损坏的节点", "hallsync verify --remote --peer {node}")                                    \
    X(ROTTEN, "rotten", TROUBLE, "a part of the log has rotted, and waits for a node that has it",                     \
      "日志有一部分损坏，正等待持有它的节点",                                                                          \
      "leave the links up: it comes back by itself; repair hurries it; look at the disk",                              \
      "保持链路，会自动恢复；repair 可加快恢复；请检查磁盘", "hallsync repair")                                        \
    X(MAP_FULL, "map-full", TROUBLE, "the store's map is nearly full: people and bulk wait",                           \
      "存储映射将满：客户资料和批量数据等待中",                                                                        \
      "let operations go sooner: lower retention.days in hallsync.yaml, and restart",                                  \
      "调低 hallsync.yaml 中的 retention.days，让操作更早清理，然后重启", "hallsync status")                           \
    X(DISK, "disk", TROUBLE, "a disk is nearly full: people and bulk wait, payments go on",                            \
      "磁盘将满：客户资料和批量数据等待中，收费照常", "make room on the disk of the node that the evidence names",     \
      "在上述节点的磁盘上腾出空间", "hallsync status")                                                                 \
    X(NOT_ADMITTING, "not-admitting", TROUBLE,                                                                         \
      "the hub may be an older copy of itself, and lets nobody in before it has heard what keys are revoked",          \
      "区域中心可能是旧副本，在得知哪些密钥已吊销之前不接纳任何节点",                                                  \
      "wait for a minute; it opens as soon as another hub is connected to it",                                         \
      "请等待一分钟；另一区域中心连上后立即开放", "hallsync status")                                                   \
    X(LINK_DOWN, "link-down", TROUBLE, "there is no connection", "没有连接",                                           \
      "look after the line, the address in upstreams and whether the other node runs",                                 \
      "检查线路、upstreams 中的地址以及对方是否在运行", "hallsync status --watch")                                     \
    X(AWAY, "away", TROUBLE, "it has not connected to this node", "该节点没有连到本节点",                              \
      "at that node: does it run, and what does it say?  hallsync why",                                                \
      "在该节点上查看：是否在运行？运行 hallsync why", "hallsync node show {node}")                                    \
    X(HUB_BUSY, "hub-busy", TROUBLE, "the other side takes no more now: its store, or its receipts, are slow",         \
      "对方暂时不再接收：其存储或回执较慢", "at that node: look at its disk and its load", "在该节点上检查磁盘和负载", \
      "hallsync status")                                                                                               \
    X(CLOCK, "clock", TROUBLE, "the clocks differ by more than a minute", "时钟相差超过一分钟",                        \
      "set the clock that is wrong", "校准有误的时钟", "hallsync status")                                              \
    X(NOT_JOINED, "not-joined", TROUBLE, "it has not joined yet: its token waits, or is not taken",                    \
      "尚未加入：令牌未使用，或不被接受",                                                                              \
      "at that node: hallsync join; a token that has expired or was used is made anew (node enroll)",                  \
      "在该节点上运行 hallsync join；令牌过期或已用过则重新生成（node enroll）", "hallsync node show {node}")          \
    X(OLDER_COPY, "older-copy", MOVING, "the store was an older copy of itself: what it had is coming back",           \
      "存储是自身的旧副本：原有内容正在恢复", "leave the links up until it has caught up", "保持链路，直到追平",       \
      "hallsync wait --synced")                                                                                        \
    X(REBUILDING, "rebuilding", MOVING, "a hub is being filled again", "区域中心的数据正在补录",                       \
      "leave the links up until it is whole", "保持链路，直到补录完成", "hallsync status --watch")                     \
    X(LIMITED, "limited", MOVING, "the line is limited by the configuration", "线路受配置限速",                        \
      "wait, or raise bytes_per_second in upstreams of hallsync.yaml",                                                 \
      "等待，或提高 hallsync.yaml 中 upstreams 的 bytes_per_second", "hallsync status --watch")                        \
    X(TRANSFER, "transfer", MOVING, "records are on their way as states", "记录正以状态形式传送",                      \
      "leave the link up until it has ended", "保持链路，直到传送结束", "hallsync status --watch")                     \
    X(BACKLOG, "backlog", MOVING, "a backlog is on its way", "积压的操作正在传送",                                     \
      "wait until it has caught up; if nothing moves, look after the line", "等待追平；若无进展，请检查线路",          \
      "hallsync status --watch")                                                                                       \
    X(CONNECTING, "connecting", MOVING, "it is being connected to", "正在连接",                                        \
      "wait for some seconds, and ask again", "等待几秒后再查询", "hallsync why")                                      \
    X(STANDBY, "standby", WELL, "another one of its group is connected", "同组的另一个已连接",                         \
      "nothing is to be done", "无需处理", "hallsync status")                                                          \
    X(TWIN, "twin", WELL, "the two have dialled each other: the other session stays", "双方互相连接：保留另一会话",    \
      "nothing is to be done", "无需处理", "hallsync status")                                                          \
    X(NOT_BEHIND, "not-behind", WELL, "it is not behind", "没有滞后", "nothing is to be done", "无需处理",             \
      "hallsync status")

enum hs_cause_id {
#define X(id, ...) HS_CAUSE_##id,
    HS_CAUSES(X)
#undef X
        HS_CAUSE_COUNT
};

struct hs_cause_row {
    const char *name;
    enum hs_cause_sort sort;
    const char *en, *zh, *next_en, *next_zh, *command;
};
const struct hs_cause_row *hs_cause_row(enum hs_cause_id id);

/* X(id, name, en, zh): {0} to {2} are numbers, {0:time} milliseconds since 1970, {0:span} seconds, {0:bytes} bytes, {s}
 * a text: a name, or a sentence of the program, which is English. */
#define HS_EVIDENCE(X)                                                                                                 \
    X(SINCE, "since", "since {0:time}, for {1:span}", "自 {0:time} 起，已 {1:span}")                                   \
    X(ERROR, "error", "the last error: {s}", "最近的错误：{s}")                                                        \
    X(WORDS, "words", "{s}", "{s}")                                                                                    \
    X(ADDRESS, "address", "its address: {s}", "地址：{s}")                                                             \
    X(SEEN, "seen", "the last session was at {0:time}, {1:span} ago", "最近一次会话在 {0:time}，{1:span}前")           \
    X(NOT_SEEN, "not-seen", "there was no session since this node started", "本节点启动以来没有会话")                  \
    X(KNOCKED, "knocked", "it was not let in, {0} times, last at {1:time}: {s}",                                       \
      "未被接纳 {0} 次，最近在 {1:time}：{s}")                                                                         \
    X(KEY, "key", "the key of its link: {s}", "其链路密钥：{s}")                                                       \
    X(STRANGER, "stranger", "at {s} somebody expects another key here, {0} times, last at {1:time}",                   \
      "{s} 处有节点以为本节点用另一把密钥，{0} 次，最近在 {1:time}")                                                   \
    X(REVOKED, "revoked", "its key was revoked at {0:time}", "其密钥于 {0:time} 被吊销")                               \
    X(OWN_REVOKED, "own-revoked", "the key of this node was revoked: {s}", "本节点的密钥已被吊销：{s}")                \
    X(LAG_OUT, "lag-out", "{0} operations wait to be stored there, the oldest for {1:span}",                           \
      "{0} 条操作等待在对方存储，最早的已等 {1:span}")                                                                 \
    X(LAG_IN, "lag-in", "{0} operations that it has are not here yet", "对方有 {0} 条操作尚未到达本机")                \
    X(UNSIGNED, "unsigned", "it has not signed for {0} operations, the oldest of which waits for {1:span}",            \
      "{0} 条操作未获其签收，最早的已等 {1:span}")                                                                     \
    X(CREDIT, "credit", "it has as much on its way to its disk as it allows, and gives nothing back",                  \
      "正写入其磁盘的数据已达上限，且没有释放")                                                                        \
    X(CAUGHT_UP, "caught-up", "caught up at {0:time}, at this speed", "按此速度，将于 {0:time} 追平")                  \
    X(RATE, "rate", "at most {0:bytes} a second", "每秒最多 {0:bytes}")                                                \
    X(HOURS, "hours", "in the hours {s}", "时段 {s}")                                                                  \
    X(STATES_OUT, "states-out", "{0} of about {1} records are there, {2} %",                                           \
      "对方已有约 {1} 条记录中的 {0} 条，{2} %")                                                                       \
    X(STATES_IN, "states-in", "{0} of about {1} records have come, {2} %", "约 {1} 条记录已到 {0} 条，{2} %")          \
    X(STOPPED, "stopped", "a stream of {s} stopped behind operation {0} at {2:time}; it has named {1}",                \
      "{s} 的一条数据流于 {2:time} 在第 {0} 条操作之后中断；对方已通告至第 {1} 条")                                    \
    X(STREAM, "stream", "that stream is of lane {s} in partition {0}", "该数据流属于供电区 {0}、通道 {s}")             \
    X(WITHHELD, "withheld", "{0} operations of the revoked key of {s} wait for a person behind operation {1}",         \
      "{s} 的已吊销密钥有 {0} 条操作在第 {1} 条之后等待人工处理")                                                      \
    X(ANNOUNCED, "announced", "it has announced {0} operations that are not here, {1} of them money",                  \
      "它已通告而尚未到达的操作有 {0} 条，其中资金 {1} 条")                                                            \
    X(DISPUTED, "disputed", "{0} streams of it have forked, or are disputed", "其 {0} 条数据流已分叉或有争议")         \
    X(FORKS, "forks", "{0} forks are proven", "已证实 {0} 处分叉")                                                     \
    X(DISK_HERE, "disk-here", "{0:bytes} are free on the disk of this node: {s}", "本节点磁盘剩余 {0:bytes}：{s}")     \
    X(MAP_HERE, "map-here", "{0:bytes} are left in the map of this node's store: {s}",                                 \
      "本节点存储映射剩余 {0:bytes}：{s}")                                                                             \
    X(DISK_THERE, "disk-there", "it says that it has little room left, and takes no people and no bulk",               \
      "对方称空间不足，不接收客户资料和批量数据")                                                                      \
    X(FREE_THERE, "free-there", "{0:bytes} are free there", "对方剩余 {0:bytes}")                                      \
    X(AHEAD, "ahead", "its clock is {0:span} ahead of this node's", "其时钟比本节点快 {0:span}")                       \
    X(SLOW, "slow", "its clock is {0:span} behind this node's", "其时钟比本节点慢 {0:span}")                           \
    X(DIFFERS, "differs", "{0} records differ; the first is of kind {1} in partition {2}",                             \
      "{0} 条记录不一致；第一条属于供电区 {2}、种类 {1}")                                                              \
    X(ROTTEN, "rotten", "{0} parts of this node's log wait for a node that has them", "本节点日志有 {0} 处等待持有者") \
    X(OLDER, "older", "found at {0:time}, {1} operations have come back: {s}",                                         \
      "发现于 {0:time}，已恢复 {1} 条操作：{s}")                                                                       \
    X(REBUILT, "rebuilt", "{0} of {1} operations and records are here again, {2} %",                                   \
      "{1} 条操作和记录中已恢复 {0} 条，{2} %")                                                                        \
    X(BEING_FILLED, "being-filled", "it waits for {0} lists of records itself", "对方自身仍在补录 {0} 组记录")         \
    X(ADMITS, "admits", "it lets halls in from {0:time} on", "自 {0:time} 起接纳营业厅")                               \
    X(VERSION, "version", "this node is hallsync {s}", "本节点版本为 hallsync {s}")                                    \
    X(GROUP, "group", "of group {s}", "属于组 {s}")                                                                    \
    X(EQUAL, "equal", "its records were proven equal at {0:time}, {1:span} ago",                                       \
      "其记录于 {0:time} 证实一致，{1:span}前")                                                                        \
    X(ON_WAY, "on-way", "{0} operations are on their way", "{0} 条操作在途")

enum hs_evidence_id {
#define X(id, ...) HS_EVIDENCE_##id,
    HS_EVIDENCE(X)
#undef X
        HS_EVIDENCE_COUNT
};

struct hs_evidence_row {
    const char *name, *en, *zh;
};
const struct hs_evidence_row *hs_evidence_row(enum hs_evidence_id id);

#define HS_EVIDENCE_MAX     8
#define HS_EVIDENCE_NUMBERS 3
struct hs_evidence {
    enum hs_evidence_id id;
    int64_t numbers[HS_EVIDENCE_NUMBERS];
    const char *text; /* borrowed of the status; NULL: none */
};

#define HS_CAUSE_COMMAND_BYTES 96
struct hs_cause {
    enum hs_cause_id id;
    const Hallsync__PeerStatus *peer; /* NULL: none is to be named */
    struct hs_evidence evidence[HS_EVIDENCE_MAX];
    size_t evidence_count;
    char command[HS_CAUSE_COMMAND_BYTES]; /* with the node's name in it */
};

/* Why the peer is behind this node, or this node behind the peer.  @to points into @status and @peer. */
void hs_why_peer(const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer, struct hs_cause *to);
/* Why this node is behind: the worst of its groups of upstreams, each of which is as well as its best. */
void hs_why_node(const Hallsync__StatusReply *status, struct hs_cause *to);

static inline bool hs_cause_is_behind(const struct hs_cause *cause)
{
    return hs_cause_row(cause->id)->sort != HS_CAUSE_WELL;
}

/* One sentence, without an end; times in the day of @utc_offset_minutes. */
void hs_evidence_put(const struct hs_evidence *evidence, enum hs_language language, int utc_offset_minutes,
                     struct hs_buf *to);

#endif
