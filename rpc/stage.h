#ifndef NV_RPC_STAGE_H
#define NV_RPC_STAGE_H

/* stage.h - stages of protection in words. */

#include <stdint.h>

/* rpc__stage_name names a stage of protection. */
const char *rpc__stage_name(uint8_t stage);

#endif /* NV_RPC_STAGE_H */
