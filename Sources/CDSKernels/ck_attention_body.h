// Flash-style attention. Include in a tier's target region after its vector header.
//
// An item is a tile of query rows × the query heads of one kv head (M "lines" in all). Keys come in chunks of 32 from
// key 0: converted to floats and transposed once per item, scored for all lines (lane = key, d ascending), then online
// softmax (Milakov & Gimelshein 2018) and values added (lane = value column, keys ascending). A line's result depends
// on its own query and keys only, so any tiling gives the same bits.

enum { CHUNK = 32, MAX_LINES = 64, MAX_HEAD = 1024 };
enum { VALUE_LINES = VALUE_ROWS > DECODE_LINES ? VALUE_ROWS : DECODE_LINES };

// The lines of one item: heads first_head..<first_head + heads of query rows first_row..<first_row + rows. The heads of
// a decoded row can be those of several kv heads, from kv_head on.
typedef struct attention_item {
    const ck_sequence *sequence;
    int32_t kv_head, kv_heads, first_row, rows, first_head, heads;
} attention_item;

// Scratch of one worker.
typedef struct attention_space {
    float keys[MAX_HEAD * CHUNK];   // transposed [dk][CHUNK]
    float values[CHUNK * MAX_HEAD]; // [CHUNK][dv]
    float rows[VL * MAX_HEAD];      // keys before transposition
    float q[MAX_LINES * MAX_HEAD];  // [line][dk], scaled
    float scores[MAX_LINES * CHUNK];
    float greatest[MAX_LINES], total[MAX_LINES];
    float out[MAX_LINES * MAX_HEAD]; // [line][dv padded to VL]
} attention_space;

_Static_assert(sizeof(attention_space) <= CK_SCRATCH_BYTES, "attention scratch");

static inline int64_t slot_of(const ck_attention_args *a, const ck_sequence *s, int64_t position) {
    if (!s->blocks) return s->key_start + position;
    return (int64_t)s->blocks[position / a->block_size] * a->block_size + position % a->block_size;
}

static inline int padded(int n) { return (n + VL - 1) / VL * VL; }

// The first n values of blocks of Q8_0 → floats, up to a multiple of VL. Exact: eight bits times eleven.
static void widen_blocks(const uint8_t *src, int n, float *out) {
    for (; n > 0; n -= 32, src += sizeof(ck_block_q8_0), out += 32) {
        vf scale = vf_set(vf_block_scale(src));
#pragma clang loop unroll(full)
        for (int i = 0; i < 32; i += VL)
            if (i < n) vf_store(out + i, vf_mul(vf_load_int8(src + 2 + i), scale));
    }
}

// n values of `type` → floats; up to a multiple of VL come zeros, or the rest of a block.
static void widen(int32_t type, const uint8_t *src, int n, float *out) {
    int i = 0;
    if (type == CK_Q8_0) {
        widen_blocks(src, n, out);
        return;
    }
    for (; i + VL <= n; i += VL) vf_store(out + i, vf_load_typed(type, src + ck_row_bytes(type, i)));
    if (i < n) vf_store(out + i, vf_load_typed_part(type, src + ck_row_bytes(type, i), n - i));
}

// Keys and values first..<first + count of one kv head; missing keys of the chunk become zeros.
static void load_chunk(const ck_attention_args *a, const attention_item *item, int64_t first, int count,
                       attention_space *sp) {
    int dk = a->dk, dv = a->dv, width = padded(dk);
    for (int base = 0; base < CHUNK; base += VL) {
        for (int j = 0; j < VL; ++j) {
            float *row = sp->rows + j * width;
            if (base + j >= count) {
                memset(row, 0, (size_t)width * 4);
                continue;
            }
            int64_t slot = slot_of(a, item->sequence, first + base + j);
            widen(a->k_type, a->k + slot * a->k_row_bytes + ck_row_bytes(a->k_type, (int64_t)item->kv_head * dk), dk,
                  row);
        }
        for (int d = 0; d < width; d += VL) vf_transpose(sp->rows + d, width, sp->keys + d * CHUNK + base, CHUNK);
    }
    for (int j = 0; j < CHUNK; ++j) {
        float *row = sp->values + j * padded(dv);
        if (j >= count) {
            memset(row, 0, (size_t)padded(dv) * 4);
            continue;
        }
        int64_t slot = slot_of(a, item->sequence, first + j);
        widen(a->v_type, a->v + slot * a->v_row_bytes + ck_row_bytes(a->v_type, (int64_t)item->kv_head * dv), dv, row);
    }
}

// scores[line][key] = q · key for `lines` lines.
static inline __attribute__((always_inline)) void score_lines(const float *q, const float *keys, int dk, int lines,
                                                              float *scores) {
    enum { WIDE = SCORE_ROWS > 3 ? 2 : 4 }; // vectors of keys at a time
    for (int part = 0; part < CHUNK / VL; part += WIDE) {
        vf sum[SCORE_ROWS][WIDE];
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
            for (int j = 0; j < WIDE; ++j) sum[m][j] = vf_set(0);
        for (int d = 0; d < dk; ++d) {
            vf key[WIDE];
#pragma clang loop unroll(full)
            for (int j = 0; j < WIDE; ++j) key[j] = vf_load(keys + d * CHUNK + (part + j) * VL);
#pragma clang loop unroll(full)
            for (int m = 0; m < lines; ++m) {
                vf x = vf_set(q[m * dk + d]);
#pragma clang loop unroll(full)
                for (int j = 0; j < WIDE; ++j) sum[m][j] = vf_fma(x, key[j], sum[m][j]);
            }
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
            for (int j = 0; j < WIDE; ++j) vf_store(scores + m * CHUNK + (part + j) * VL, sum[m][j]);
    }
}

static void scores_of(const attention_space *sp, int dk, int lines, float *scores) {
    int m = 0;
    for (; m + SCORE_ROWS <= lines; m += SCORE_ROWS)
        score_lines(sp->q + m * dk, sp->keys, dk, SCORE_ROWS, scores + m * CHUNK);
#if SCORE_ROWS > 3
    for (; m + 4 <= lines; m += 4) score_lines(sp->q + m * dk, sp->keys, dk, 4, scores + m * CHUNK);
#endif
    for (; m < lines; ++m) score_lines(sp->q + m * dk, sp->keys, dk, 1, scores + m * CHUNK);
}

// VL values from i on of a row of `type`, of which `left` are in the row. Blocks of Q8_0 are whole.
static inline __attribute__((always_inline)) vf load_values(int32_t type, const uint8_t *row, int i, int left) {
    const uint8_t *p = row + ck_row_bytes(type, i);
    if (type == CK_Q8_0) return vf_mul(vf_load_int8(p + 2 + i % 32), vf_set(vf_block_scale(p)));
    return left >= VL ? vf_load_typed(type, p) : vf_load_typed_part(type, p, left);
}

// out[line] += weights[line] · values for `lines` lines, the columns of `vectors` vectors from c on.
static inline __attribute__((always_inline)) void add_columns(int32_t type, const float *weights,
                                                              const uint8_t *const *values, int64_t at, int count,
                                                              int c, int vectors, int left, int lines, int width,
                                                              float *out) {
    vf sum[VALUE_LINES][4];
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) sum[m][j] = vf_load(out + m * width + c + j * VL);
    for (int k = 0; k < count; ++k) {
        vf v[4];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) v[j] = load_values(type, values[k] + at, c + j * VL, left);
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m) {
            vf w = vf_set(weights[m * CHUNK + k]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; ++j) sum[m][j] = vf_fma(w, v[j], sum[m][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) vf_store(out + m * width + c + j * VL, sum[m][j]);
}

// out[line] += weights[line] · values of `count` rows for `lines` lines, `wide` vectors at a time.
static inline __attribute__((always_inline)) void add_values(int32_t type, const float *weights,
                                                             const uint8_t *const *values, int64_t at, int count,
                                                             int dv, int wide, int lines, float *out) {
    int width = padded(dv), c = 0;
    for (; c + wide * VL <= dv; c += wide * VL)
        add_columns(type, weights, values, at, count, c, wide, VL, lines, width, out);
    for (; c < dv; c += VL) add_columns(type, weights, values, at, count, c, 1, dv - c, lines, width, out);
}

static void values_of(attention_space *sp, int dv, int lines) {
    enum { WIDE = VALUE_ROWS > 3 ? 4 : 2 };
    int width = padded(dv), m = 0;
    const uint8_t *rows[CHUNK];
    for (int k = 0; k < CHUNK; ++k) rows[k] = (const uint8_t *)(sp->values + k * width);
    for (; m + VALUE_ROWS <= lines; m += VALUE_ROWS)
        add_values(CK_F32, sp->scores + m * CHUNK, rows, 0, CHUNK, width, WIDE, VALUE_ROWS, sp->out + m * width);
    for (; m < lines; ++m)
        add_values(CK_F32, sp->scores + m * CHUNK, rows, 0, CHUNK, width, WIDE, 1, sp->out + m * width);
}

// Scores of one line → weights; rescales what was summed so far when a new greatest score appears. Keys outside
// first..<last (relative to the chunk) do not count.
static void soften(attention_space *sp, int line, int width, int first, int last) {
    float *score = sp->scores + line * CHUNK;
    for (int j = 0; j < first && j < CHUNK; ++j) score[j] = -INFINITY;
    for (int j = last < 0 ? 0 : last; j < CHUNK; ++j) score[j] = -INFINITY;
    vf top = vf_set(-INFINITY), sum = vf_set(0);
    for (int j = 0; j < CHUNK; j += VL) top = vf_max(top, vf_load(score + j));
    float greatest = vf_greatest(top);
    if (!(greatest > sp->greatest[line])) greatest = sp->greatest[line];
    if (greatest == -INFINITY) { // nothing seen yet
        memset(score, 0, CHUNK * 4);
        return;
    }
    vf shift = vf_set(greatest);
    for (int j = 0; j < CHUNK; j += VL) {
        vf weight = vf_exp(vf_sub(vf_load(score + j), shift));
        vf_store(score + j, weight);
        sum = vf_add(sum, weight);
    }
    if (greatest > sp->greatest[line]) {
        float lanes[VL];
        vf factor = vf_exp(vf_sub(vf_set(sp->greatest[line]), shift));
        vf_store(lanes, factor);
        sp->total[line] *= lanes[0];
        float *out = sp->out + line * width;
        for (int c = 0; c < width; c += VL) vf_store(out + c, vf_mul(vf_load(out + c), factor));
        sp->greatest[line] = greatest;
    }
    sp->total[line] += vf_sum(sum);
}

// The scaled queries of an item.
static void load_queries(const ck_attention_args *a, const attention_item *item, attention_space *sp) {
    for (int m = 0; m < item->rows * item->heads; ++m) {
        int64_t row = item->sequence->query_start + item->first_row + m / item->heads;
        const float *q = a->q + row * a->q_stride + (int64_t)(item->first_head + m % item->heads) * a->dk;
        for (int d = 0; d < a->dk; ++d) sp->q[m * a->dk + d] = q[d] * a->scale;
    }
}

// The lines of an item over the keys that each line may see: greatest score, sum of weights and sum of weighted values
// of each.
static void attend(const ck_attention_args *a, const attention_item *item, attention_space *sp) {
    const ck_sequence *s = item->sequence;
    int width = padded(a->dv), lines = item->rows * item->heads;
    for (int m = 0; m < lines; ++m) {
        sp->greatest[m] = -INFINITY;
        sp->total[m] = 0;
    }
    memset(sp->out, 0, (size_t)lines * (size_t)width * 4);
    int64_t first_position = (int64_t)s->context_length - s->query_count + item->first_row;
    int64_t end = first_position + item->rows; // keys that the last row sees
    int64_t begin = a->window > 0 && first_position + 1 > a->window ? first_position + 1 - a->window : 0;
    for (int64_t chunk = begin / CHUNK * CHUNK; chunk < end; chunk += CHUNK) {
        int count = end - chunk < CHUNK ? (int)(end - chunk) : CHUNK;
        load_chunk(a, item, chunk, count, sp);
        scores_of(sp, a->dk, lines, sp->scores);
        for (int m = 0; m < lines; ++m) {
            int64_t last = first_position + m / item->heads + 1,
                    first = a->window > 0 && last > a->window ? last - a->window : 0;
            int64_t low = first - chunk, high = last - chunk;
            soften(sp, m, width, low < 0 ? 0 : low > CHUNK ? CHUNK : (int)low, high > CHUNK ? CHUNK : (int)high);
        }
        values_of(sp, a->dv, lines);
    }
}

// Writes the item's lines, whose sums are in the scratch from `first` on.
static void finish(const ck_attention_args *a, const attention_item *item, int first, const attention_space *sp) {
    int width = padded(a->dv);
    for (int m = 0; m < item->rows * item->heads; ++m) {
        int64_t row = item->sequence->query_start + item->first_row + m / item->heads;
        float *out = a->out + row * a->out_stride + (int64_t)(item->first_head + m % item->heads) * a->dv;
        float inverse = sp->total[first + m] > 0 ? 1 / sp->total[first + m] : 0;
        for (int c = 0; c < a->dv; ++c) out[c] = sp->out[(first + m) * width + c] * inverse;
    }
}

#include "ck_attention_decode_body.h"

// MARK: All sequences

// Query rows per item and heads per item: as many lines as fit, fewer while there are too few items for the workers.
static void tile_shape(const ck_attention_args *a, const ck_share *share, int *rows, int *heads) {
    int per_kv = a->heads / a->kv_heads, lines = MAX_LINES;
    for (;; lines /= 2) {
        *heads = per_kv < lines ? per_kv : lines;
        *rows = lines / *heads;
        int64_t items = 0;
        for (int i = 0; i < a->ranged_from; ++i)
            items += (int64_t)(a->sequences[i].query_count + *rows - 1) / *rows * a->kv_heads *
                     ((per_kv + *heads - 1) / *heads);
        if (items >= 2 * share->count || lines <= 4) return;
    }
}

void NAME(ck_attention)(const ck_attention_args *a, const ck_share *share) {
    int rows, heads, per_kv = a->heads / a->kv_heads;
    tile_shape(a, share, &rows, &heads);
    int64_t number = decode(a, share);
    for (int i = 0; i < a->ranged_from; ++i) {
        const ck_sequence *s = &a->sequences[i];
        for (int row = 0; row < s->query_count; row += rows)
            for (int g = 0; g < a->kv_heads; ++g)
                for (int h = 0; h < per_kv; h += heads, ++number) {
                    if (number % share->count != share->worker) continue;
                    attention_item item = {
                        .sequence = s,
                        .kv_head = g,
                        .kv_heads = 1,
                        .first_row = row,
                        .rows = s->query_count - row < rows ? s->query_count - row : rows,
                        .first_head = g * per_kv + h,
                        .heads = per_kv - h < heads ? per_kv - h : heads,
                    };
                    attention_space *space = (attention_space *)share->scratch;
                    load_queries(a, &item, space);
                    attend(a, &item, space);
                    finish(a, &item, 0, space);
                }
    }
}
