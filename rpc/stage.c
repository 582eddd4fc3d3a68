#include "rpc/stage.h"

#include "vm/rows.h"

const char *rpc__stage_name(uint8_t stage)
{
    switch ((enum vm_stage)stage) {
    case VM_STAGE_SAFE: return "safe";
    case VM_STAGE_CLOSING: return "closing";
    case VM_STAGE_INSURED: return "insured";
    case VM_STAGE_DELEVERAGE: return "deleverage";
    }
    return "unknown";
}
