// Branch-free numeric loops over pointers: no malloc, no threads, no I/O.
//
// Every kernel takes one argument structure and one `ck_share`: all workers make the same call, each computes its own
// part of the result, and the caller synchronises. `ck_kernels_for` gives the function table of one ISA tier.
#ifndef CDSKERNELS_H
#define CDSKERNELS_H

#include "ck_attention.h"
#include "ck_base.h"
#include "ck_features.h"
#include "ck_gemm.h"
#include "ck_operators.h"
#include "ck_peak.h"
#include "ck_processors.h"
#include "ck_quantize.h"
#include "ck_repack.h"
#include "ck_route.h"
#include "ck_table.h"

#endif
