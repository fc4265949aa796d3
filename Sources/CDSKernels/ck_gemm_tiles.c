// The loops around the integer tiles: groups, rows, tokens, chunks, plain C, as the time is spent in the
// kind's functions.
#include "ck_tiles.h"
#include <string.h>

enum {
    PANELS = 4,             // weight tiles that share a packed token tile
    TOKENS = 512,           // tokens whose sums are kept at a time
    PANEL_SPACE = 8192,     // bytes reserved per panel
    FEW_TILES = 16,         // interleaved tiles at a time: gate and up are then read in long runs
    FEW = 48,               // the most rows that meet interleaved weights between two readings of them
    FEW_OFFSET = 256 * 1024 // where in the scratch the rows of `few` are packed
};

_Static_assert(sizeof(ck_panel32) <= PANEL_SPACE && sizeof(ck_panel256) <= PANEL_SPACE, "panel space");

// One matrix of one group.
typedef struct weights {
    const uint8_t *data;
    int64_t row_bytes, n, k;
} weights;

static void tile_rows(const weights *w, int64_t n, ck_tile_rows *rows) {
    for (int i = 0; i < CK_TILE_ROWS; ++i) {
        int64_t row = n + i < w->n ? n + i : w->n - 1;
        rows->row[i] = w->data + row * w->row_bytes;
    }
    rows->k = w->k;
    rows->ahead = CK_TILE_ROWS * w->row_bytes;
}

static const uint8_t *activation(const ck_gemm_args *a, int64_t i) {
    int64_t source = a->rows_in ? a->rows_in[i] / a->in_divisor : i;
    return a->act + source * a->act_stride;
}

// Fetches what the next `unpack` of these rows will read, `bytes` from `offset` of each row.
static void prefetch(const ck_tile_rows *rows, int64_t offset, int64_t bytes) {
    for (int i = 0; i < CK_TILE_ROWS; ++i)
        for (int64_t line = 0; line < bytes; line += 64) __builtin_prefetch(rows->row[i] + offset + line, 0, 2);
}

// How many rows meet interleaved weights at a time: as many as can be packed for all columns.
static int few_rows(const ck_tile_kind *kind, int64_t k) {
    int64_t fit = (CK_SCRATCH_BYTES - FEW_OFFSET) / ((k + CK_CHUNK - 1) / CK_CHUNK * kind->packed_bytes);
    return fit < FEW ? (int)fit : FEW;
}

// Rows first..<first + count as the passes of `few` read them: [pass][chunk][row of the pass].
static void pack_few(const ck_tile_kind *kind, const ck_gemm_args *a, int64_t first, int count, uint8_t *packed) {
    int64_t k = a->weight.k;
    int passes = (count + kind->tile_tokens - 1) / kind->tile_tokens;
    for (int pass = 0; pass < passes; ++pass) {
        int begin = count * pass / passes, end = count * (pass + 1) / passes;
        for (int64_t chunk = 0; chunk * CK_CHUNK < k; ++chunk) {
            int64_t left = k - chunk * CK_CHUNK;
            uint8_t *rows = packed;
            for (int t = begin; t < end; ++t, packed += kind->packed_bytes)
                kind->pack(activation(a, first + t), k, chunk, left < CK_CHUNK ? (int)(left / 32) : 8, packed);
            if (kind->arrange) kind->arrange(rows, end - begin);
        }
    }
}

// acc [count][16] = a weight tile times the packed rows.
static void few(const ck_tile_kind *kind, const ck_tile_rows *tile, int count, const uint8_t *packed, float *acc) {
    int64_t row_bytes = (tile->k + CK_CHUNK - 1) / CK_CHUNK * kind->packed_bytes;
    int passes = (count + kind->tile_tokens - 1) / kind->tile_tokens;
    for (int pass = 0; pass < passes; ++pass) {
        int begin = count * pass / passes, end = count * (pass + 1) / passes;
        kind->few(tile->row[0], tile->k, packed + begin * row_bytes, end - begin, acc + 16 * begin);
    }
}

// Sums of `panels` weight tiles (those of `up` follow those of `gate`) with work rows first..<first + count:
// acc [panel][count][16].
static void products(const ck_tile_kind *kind, const ck_gemm_args *a, const ck_tile_rows *tiles, int panels,
                     int64_t first, int count, uint8_t *space, float *acc) {
    if (count == 1 && kind->single) {
        for (int p = 0; p < panels; ++p) kind->single(&tiles[p], activation(a, first), acc + 16 * p);
        return;
    }
    if (kind->few) {
        for (int p = 0; p < panels; ++p) few(kind, &tiles[p], count, space + FEW_OFFSET, acc + (int64_t)p * count * 16);
        return;
    }
    uint8_t *packed = space + PANELS * PANEL_SPACE;
    int64_t chunk_bytes = tiles[0].ahead / CK_TILE_ROWS * CK_CHUNK / tiles[0].k;
    int tile_count = (count + kind->tile_tokens - 1) / kind->tile_tokens;
    memset(acc, 0, (size_t)panels * (size_t)count * 64);
    for (int64_t chunk = 0; chunk * CK_CHUNK < tiles[0].k; ++chunk) {
        int64_t left = tiles[0].k - chunk * CK_CHUNK;
        int blocks = left < CK_CHUNK ? (int)(left / 32) : 8;
        for (int p = 0; p < panels; ++p) {
            int64_t next = (chunk + 1) * CK_CHUNK < tiles[p].k ? (chunk + 1) * chunk_bytes : tiles[p].ahead * panels;
            prefetch(&tiles[p], next, chunk_bytes);
            kind->unpack(&tiles[p], chunk, blocks, space + p * PANEL_SPACE);
        }
        for (int tile = 0; tile < tile_count; ++tile) {
            int t = count * tile / tile_count, end = count * (tile + 1) / tile_count;
            for (int i = t; i < end; ++i)
                kind->pack(activation(a, first + i), tiles[0].k, chunk, blocks, packed + (i - t) * kind->packed_bytes);
            for (int p = 0; p < panels; ++p)
                kind->multiply(space + p * PANEL_SPACE, packed, end - t, blocks, acc + ((int64_t)p * count + t) * 16);
        }
    }
}

// Weight rows begin..<end times work rows first..<first + count.
static void block(const ck_tile_kind *kind, const ck_gemm_args *a, const weights *gate, const weights *up,
                  int64_t begin, int64_t end, int64_t first, int count, const ck_share *share) {
    uint8_t *space = share->scratch;
    float *acc = (float *)(space + PANELS * PANEL_SPACE + 16 * 1024);
    int step = (kind->few ? FEW_TILES : PANELS) / (up ? 2 : 1);
    if (kind->few) pack_few(kind, a, first, count, space + FEW_OFFSET);
    for (int64_t n = begin; n < end; n += step * CK_TILE_ROWS) {
        ck_tile_rows tiles[FEW_TILES];
        int count_tiles = 0;
        for (int64_t m = n; m < end && count_tiles < step; m += CK_TILE_ROWS) tile_rows(gate, m, &tiles[count_tiles++]);
        for (int p = 0; up && p < count_tiles; ++p) tile_rows(up, n + p * CK_TILE_ROWS, &tiles[count_tiles + p]);
        products(kind, a, tiles, up ? 2 * count_tiles : count_tiles, first, count, space, acc);
        for (int t = 0; t < count; ++t) {
            int64_t target = a->rows_out ? a->rows_out[first + t] : first + t;
            for (int p = 0; p < count_tiles; ++p) {
                int64_t m = n + p * CK_TILE_ROWS;
                int width = gate->n - m < CK_TILE_ROWS ? (int)(gate->n - m) : CK_TILE_ROWS;
                const float *sums = acc + ((int64_t)p * count + t) * 16;
                const float *sums_up = up ? acc + ((int64_t)(p + count_tiles) * count + t) * 16 : NULL;
                kind->finish(a, sums, sums_up, m, width, a->out + target * a->out_stride + m);
            }
        }
    }
}

void ck_gemm_tiles(const ck_tile_kind *kind, const ck_gemm_args *a, const ck_share *share) {
    int64_t begin, end;
    ck_split(a->weight.n, CK_TILE_ROWS, share, &begin, &end);
    int32_t groups = a->groups ? a->groups : 1;
    for (int32_t g = 0; g < groups && begin < end; ++g) {
        int64_t first = a->groups ? a->offsets[g] : 0, last = a->groups ? a->offsets[g + 1] : a->rows;
        weights gate = {a->groups ? a->experts[g] : a->weight.data, a->weight.row_bytes, a->weight.n, a->weight.k};
        weights up = {a->groups && a->experts_up ? a->experts_up[g] : a->up.data, a->up.row_bytes, a->up.n, a->up.k};
        int most = kind->few ? few_rows(kind, gate.k) : TOKENS;
        for (int64_t i = first; i < last; i += most) {
            int count = last - i < most ? (int)(last - i) : most;
            block(kind, a, &gate, a->up.n ? &up : NULL, begin, end, i, count, share);
        }
    }
}
