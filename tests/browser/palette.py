"""PNG files of few colours, for documents: pictures of a page of text are small with a short palette."""
import collections
import struct
import zlib


def _chunks(data):
    at = 8
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        yield data[at + 4:at + 8], data[at + 8:at + 8 + size]
        at += 12 + size


def _unfilter(raw, width, height, pixel):
    stride, rows, above = width * pixel, [], bytearray(width * pixel)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, above))
        elif kind:
            for x in range(stride):
                left = line[x - pixel] if x >= pixel else 0
                corner = above[x - pixel] if x >= pixel else 0
                if kind == 1:
                    guess = left
                elif kind == 3:
                    guess = (left + above[x]) // 2
                else:
                    near = left + above[x] - corner
                    guess = min((abs(near - left), 0, left), (abs(near - above[x]), 1, above[x]), (abs(near - corner), 2, corner))[2]
                line[x] = (line[x] + guess) & 255
        rows.append(line)
        above = line
    return rows


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def shrink(source, target, colours=48):
    """source: an 8-bit RGB or RGBA PNG without interlace, as browsers write it."""
    with open(source, "rb") as file:
        data = file.read()
    head = next(body for name, body in _chunks(data) if name == b"IHDR")
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", head)
    assert depth == 8 and kind in (2, 6) and not interlace
    pixel = 3 if kind == 2 else 4
    rows = _unfilter(zlib.decompress(b"".join(body for name, body in _chunks(data) if name == b"IDAT")), width, height, pixel)
    pixels = [[(row[at] & 248, row[at + 1] & 248, row[at + 2] & 248) for at in range(0, width * pixel, pixel)] for row in rows]
    exact = {}
    for row, line in zip(rows, pixels):
        for x, key in enumerate(line):
            exact.setdefault(key, tuple(row[x * pixel:x * pixel + 3]))
    counts = collections.Counter(key for line in pixels for key in line)
    chosen = []
    for key, _ in counts.most_common():  # the frequent ones that are not nearly alike: a rare colour has its meaning, too
        if len(chosen) < colours and all(sum(abs(a - b) for a, b in zip(key, one)) > 40 for one in chosen):
            chosen.append(key)
    nearest = {key: min(range(len(chosen)), key=lambda i: sum((a - b) ** 2 for a, b in zip(key, chosen[i]))) for key in counts}
    raw = b"".join(b"\0" + bytes(nearest[key] for key in line) for line in pixels)
    with open(target, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) +
                   _chunk(b"PLTE", b"".join(bytes(exact[key]) for key in chosen)) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b""))
