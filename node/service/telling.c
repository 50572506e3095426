/* Sentences for people, told in both languages at once. */
#include "node/service/telling.h"

#include "proto/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* There is more than fits, or bytes that are no text: it ends behind the last whole character before. */
static void cut(struct hs_said *said)
{
    static const char DOTS[] = "…";
    size_t size = strlen(said->text);
    while (size > sizeof said->text - sizeof DOTS || !hs_text_valid(HS_BYTES(said->text, size)))
        size--;
    memcpy(said->text + size, DOTS, sizeof DOTS);
    said->is_cut = true;
}

__attribute__((format(printf, 2, 0))) static void say(struct hs_said *said, const char *format, va_list args)
{
    if (said->is_cut)
        return;
    char *end = said->text + strlen(said->text);
    int size = vsnprintf(end, sizeof said->text - (size_t)(end - said->text), format, args);
    if (size < 0 || (size_t)size != strlen(end) || !hs_text_valid(HS_BYTES(end, size)))
        cut(said);
}

void hs_tell(struct hs_sentence *sentence, const char *en, const char *zh, ...)
{
    va_list args;
    va_start(args, zh);
    say(&sentence->en, en, args);
    va_end(args);
    va_start(args, zh);
    say(&sentence->zh, zh, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void say_one(struct hs_said *said, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(said, format, args);
    va_end(args);
}

void hs_tell_words(struct hs_sentence *sentence, const char *en, const char *zh)
{
    say_one(&sentence->en, "%s", en);
    say_one(&sentence->zh, "%s", zh);
}

enum hs_err hs_tell_keep(struct hs_arena *arena, const struct hs_sentence *sentence, char **en, char **zh)
{
    *en = hs_arena_text(arena, HS_BYTES(sentence->en.text, strlen(sentence->en.text)));
    *zh = hs_arena_text(arena, HS_BYTES(sentence->zh.text, strlen(sentence->zh.text)));
    return *en != NULL && *zh != NULL ? HS_OK : HS_ENOMEM;
}

void hs_advise(Hallsync__Conflict *conflict, const struct hs_words *advice)
{
    conflict->advice = (char *)(uintptr_t)advice->en; /* only read */
    conflict->advice_zh = (char *)(uintptr_t)advice->zh;
}

char *hs_tell_text(struct hs_arena *arena, const char *format, ...)
{
    char text[HS_TELLING_BYTES];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text)
        return NULL;
    return hs_arena_text(arena, HS_BYTES(text, (size_t)size));
}

const char *hs_yuan_text(int64_t fen, char text[static HS_FEN_TEXT_BYTES])
{
    uint64_t size = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;
    snprintf(text, HS_FEN_TEXT_BYTES, "%s%" PRIu64 ".%02u", fen < 0 ? "-" : "", size / 100, (unsigned)(size % 100));
    return text;
}
