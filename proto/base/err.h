/* err.h -- the one error type of hallsync: a code, its class, its name and its text in both languages, each declared
 * once. */
#ifndef HS_BASE_ERR_H
#define HS_BASE_ERR_H

#include <stddef.h>

/* What whoever meets the error can do about it. */
enum hs_err_class {
    HS_CLASS_OK,
    HS_CLASS_INPUT,    /* the request is wrong: nothing was done; mend it and ask again */
    HS_CLASS_RETRY,    /* it may work later, unchanged */
    HS_CLASS_PEER,     /* the other side broke the protocol or may not do that */
    HS_CLASS_OPERATOR, /* somebody has to look after this machine */
    HS_CLASS_DAMAGE,   /* stored data are not what was written */
    HS_CLASS_BUG,      /* hallsync is wrong */
};

/* X(code, class, name, text, Chinese text).  The name is what programs and scripts see; it never changes once released.
 */
#define HS_ERRORS(X)                                                                                                   \
    X(HS_OK, OK, "ok", "done", "已完成")                                                                               \
    /* input */                                                                                                        \
    X(HS_EINVAL, INPUT, "invalid", "the request does not make sense", "请求不合理")                                    \
    X(HS_EACCOUNT, INPUT, "bad-account", "an account number has 10 digits", "户号应为 10 位数字")                      \
    X(HS_ENOACCOUNT, INPUT, "unknown-account", "no customer has this account number", "没有该户号的客户")              \
    X(HS_EAMOUNT, INPUT, "bad-amount", "an amount is a whole number of fen above zero", "金额应为大于零的整数（分）")  \
    X(HS_EOVERFLOW, INPUT, "overflow", "the number is too large", "数值过大")                                          \
    X(HS_EBILLACCOUNT, INPUT, "bill-of-another-account", "the bill belongs to another account", "账单属于其他户号")    \
    X(HS_ESERVICE, INPUT, "unknown-service", "no such service in the catalogue", "业务目录中没有该业务")               \
    X(HS_ESTATE, INPUT, "bad-state", "the ticket cannot go to that state from where it is", "按当前状态不能这样流转")  \
    X(HS_ENOTICKET, INPUT, "unknown-ticket", "no such ticket", "没有该工单")                                           \
    X(HS_ECONSENT, INPUT, "no-consent", "the customer does not want to be called back", "客户不同意回访")              \
    X(HS_ENOPAYMENT, INPUT, "unknown-payment", "no such payment", "没有该笔交费")                                      \
    X(HS_EREVERSED, INPUT, "already-reversed", "the payment has been reversed before", "该笔交费已冲正")               \
    X(HS_EBILLCLOSED, INPUT, "bill-closed", "the bill was cancelled, or another has taken its place",                  \
      "账单已作废，或已由另一张替代")                                                                                  \
    X(HS_ENOTOWNER, INPUT, "not-owner", "another node decides the refunds of this district",                           \
      "该供电区的退费由其他节点负责")                                                                                  \
    X(HS_ENOTSOMUCH, INPUT, "not-so-much", "not so much was paid too much", "多交的金额不足")                          \
    X(HS_ESETTLED, INPUT, "settled", "the payment was given back, or counted elsewhere, before",                       \
      "该笔交费此前已退还或转抵")                                                                                      \
    X(HS_ETOPUP, INPUT, "topup-done", "the card was topped up under this counter before", "该购电次数此前已购电")      \
    X(HS_ESECOND, INPUT, "needs-second", "this needs a second person and a reason", "须经复核人并说明原因")            \
    X(HS_ENORECEIPT, INPUT, "unknown-receipt", "no such receipt", "没有该凭证")                                        \
    X(HS_EFIELD, INPUT, "unknown-field", "no such field", "没有该字段")                                                \
    X(HS_EVALUE, INPUT, "bad-value", "the field's value has the wrong form", "字段的值格式不正确")                     \
    X(HS_EREQUIRED, INPUT, "missing-field", "a required field is missing", "缺少必填字段")                             \
    X(HS_EFIXED, INPUT, "fixed-field", "this field cannot be changed once it is set", "该字段一经填写不可更改")        \
    X(HS_EUTF8, INPUT, "bad-utf8", "text must be valid UTF-8 without control characters",                              \
      "文字须为有效的 UTF-8，不得含控制字符")                                                                          \
    X(HS_ETOOBIG, INPUT, "too-big", "the value is over its limit", "超过允许的长度")                                   \
    X(HS_EDIFFERS, INPUT, "id-in-use", "another record with other content has this id",                                \
      "该编号已用于内容不同的另一条记录")                                                                              \
    X(HS_ENOTFOUND, INPUT, "not-found", "no such record", "没有该记录")                                                \
    X(HS_ENOTHERE, INPUT, "not-here", "the record belongs to a district that this node does not hold",                 \
      "该记录所属供电区不在本节点")                                                                                    \
    X(HS_ENOTHUB, INPUT, "not-a-hub", "only a hub can do this", "只能在区域中心办理")                                  \
    X(HS_EOPERATOR, INPUT, "operator-only", "only an operator may ask for this, not a counter",                        \
      "仅操作员可用，柜台不可用")                                                                                      \
    X(HS_EEXISTS, INPUT, "exists", "it is there already", "已存在")                                                    \
    X(HS_EKIND, INPUT, "unknown-kind", "no such kind of record", "没有该种记录")                                       \
    X(HS_EWINDOW, INPUT, "bad-window-state", "the window is not in a state for that", "窗口当前状态不允许")            \
    X(HS_EOPENBOOKS, INPUT, "open-window", "a window that took money has not been closed", "有收过款的窗口尚未结账")   \
    X(HS_ENOTSEALED, INPUT, "not-sealed", "this is no backup and no bundle of hallsync",                               \
      "不是 hallsync 的备份或数据包")                                                                                  \
    X(HS_EPURPOSE, INPUT, "other-purpose", "the file is sealed for another purpose", "该文件用于其他用途")             \
    X(HS_ERECIPIENT, INPUT, "other-recipient", "the file is sealed to others: it needs another key",                   \
      "该文件须用其他密钥打开")                                                                                        \
    X(HS_EMEANWHILE, INPUT, "changed-meanwhile", "somebody else has changed or decided it meanwhile",                  \
      "他人已在此期间修改或裁决，请按最新内容重新处理")                                                                \
    X(HS_ERESET, INPUT, "reset", "this store does not know that position: list everything anew",                       \
      "本存储没有该位置：请重新全部读取")                                                                              \
    /* retry */                                                                                                        \
    X(HS_EUNREACHABLE, RETRY, "unreachable", "the node does not answer", "节点没有应答")                               \
    X(HS_ETIMEDOUT, RETRY, "timed-out", "it took longer than allowed", "超过允许的时间")                               \
    X(HS_EBUSY, RETRY, "busy", "too much is waiting already", "等待处理的请求过多")                                    \
    X(HS_EFILLING, RETRY, "filling", "not here yet: this district is still being filled",                              \
      "尚未到达：该供电区仍在补录")                                                                                    \
    X(HS_ENOLINK, RETRY, "no-link", "not here, and no hub that has it can be reached",                                 \
      "不在本节点，且无法连接持有它的区域中心")                                                                        \
    X(HS_ESTOPPING, RETRY, "stopping", "the node is shutting down", "节点正在停止")                                    \
    X(HS_ENOMEM, RETRY, "out-of-memory", "not enough memory", "内存不足")                                              \
    /* peer */                                                                                                         \
    X(HS_EMALFORMED, PEER, "malformed", "the bytes are not a message of this protocol", "内容不符合本协议")            \
    X(HS_EVERSION, PEER, "version", "no common protocol version", "没有共同的协议版本")                                \
    X(HS_EREFUSED, PEER, "refused", "the other side refused", "对方拒绝")                                              \
    X(HS_ECERT, PEER, "bad-certificate", "the certificate does not hold", "证书无效")                                  \
    X(HS_ESIGNATURE, PEER, "bad-signature", "a signature does not hold", "签名无效")                                   \
    X(HS_EREGION, PEER, "other-region", "the certificate is of another region", "证书属于其他地区")                    \
    X(HS_ETOKEN, PEER, "bad-token", "this join token is not known here", "本节点没有该令牌")                           \
    X(HS_ETOKENUSED, PEER, "token-used", "this join token has been used", "令牌已使用过")                              \
    X(HS_ETOKENEXPIRED, PEER, "token-expired", "this join token has expired", "令牌已过期")                            \
    X(HS_EGAP, PEER, "gap", "operations are missing before these", "此前的操作尚缺")                                   \
    X(HS_EPRUNED, PEER, "pruned", "these operations are not kept any more: ask for states",                            \
      "这些操作已不再保留：请改为读取状态")                                                                            \
    X(HS_EFORK, PEER, "fork", "one origin signed two contents under one number", "同一来源在同一编号下签署了两种内容") \
    X(HS_ECREDIT, PEER, "credit", "more was sent than was allowed", "发送量超过允许")                                  \
    X(HS_ESCOPE, PEER, "scope", "outside what the certificate allows", "超出证书允许的范围")                           \
    X(HS_EREVOKED, PEER, "revoked", "the key of that node was revoked", "该节点的密钥已吊销")                          \
    /* operator */                                                                                                     \
    X(HS_EIO, OPERATOR, "io-error", "the operating system reported an error", "操作系统报告错误")                      \
    X(HS_EFULL, OPERATOR, "disk-full", "the disk or the store is full", "磁盘或存储已满")                              \
    X(HS_ELOCKED, OPERATOR, "in-use", "another process has this data directory open", "数据目录正被另一进程使用")      \
    X(HS_EFOREIGN, OPERATOR, "foreign-store", "the store belongs to another node", "存储属于其他节点")                 \
    X(HS_ENETFS, OPERATOR, "network-filesystem", "the data directory must be on a local disk", "数据目录须在本地磁盘") \
    X(HS_ESCHEMA, OPERATOR, "newer-schema", "the store was written by a newer version", "存储由较新版本写入")          \
    X(HS_ENEWERFILE, OPERATOR, "newer-file", "a newer version of hallsync made it: install that",                      \
      "由较新版本的 hallsync 生成，请先安装该版本")                                                                    \
    X(HS_ECONFIG, OPERATOR, "bad-config", "the configuration is wrong", "配置有误")                                    \
    X(HS_EADDRESS, OPERATOR, "bad-address", "the address cannot be used", "地址不可用")                                \
    X(HS_EINUSE, OPERATOR, "address-in-use", "another program listens at that address", "该地址已被其他程序占用")      \
    X(HS_EPERM, OPERATOR, "permission", "not allowed by the file system or the system", "文件系统或系统权限不足")      \
    X(HS_ENOSTORE, OPERATOR, "no-store", "there is no store here", "此处没有存储")                                     \
    /* damage */                                                                                                       \
    X(HS_EDAMAGED, DAMAGE, "damaged", "stored data do not match their checksum", "存储的数据与校验值不符")             \
    X(HS_ECUTSHORT, DAMAGE, "cut-short", "the file ends before its end", "文件不完整")                                 \
    /* bug */                                                                                                          \
    X(HS_EINTERNAL, BUG, "internal", "hallsync met a state that it should not be in", "程序内部错误")

enum hs_err {
#define X(code, ...) code,
    HS_ERRORS(X)
#undef X
        HS_ERR_COUNT
};

/* A sentence for people that travels beside the code: which thing, why, what to do.  Wrapped outward. */
#define HS_WHY_BYTES 320
struct hs_why {
    char text[HS_WHY_BYTES];
};

const char *hs_err_name(enum hs_err err);    /* "bad-account"; never NULL */
const char *hs_err_text(enum hs_err err);    /* "an account number has 10 digits"; never NULL */
const char *hs_err_text_zh(enum hs_err err); /* the same in Chinese; never NULL */
enum hs_err_class hs_err_class(enum hs_err err);
enum hs_err hs_err_by_name(const char *name); /* HS_EINTERNAL if there is no such name */
enum hs_err hs_err_from_errno(int error);     /* ENOSPC -> HS_EFULL, ENOMEM -> HS_ENOMEM, ... else HS_EIO */

/* Set the sentence (printf form) and return err; @why may be NULL.  Cut, never overrun, when too long. */
enum hs_err hs_fail(enum hs_err err, struct hs_why *why, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Put "prefix: " before the sentence (or before err's text if the sentence is empty) and return err. */
enum hs_err hs_wrap(enum hs_err err, struct hs_why *why, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
