# base: bytes, hashes, keys, checked integers, arenas, status, log.
flags_base := $(SYSTEM)
$(eval $(call library,base,$(wildcard base/*.c)))
