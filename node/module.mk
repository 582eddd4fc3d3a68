# node: the composition root.  All but main.c is an archive, so that the simulator and the tests run
# the same replica as the daemon.
flags_node := $(SYSTEM)
$(eval $(call library,node,$(wildcard node/*/*.c)))
ifneq ($(wildcard node/main.c),)
programs += $(BIN)/novated
$(eval $(call program,$(BIN)/novated,node/main.c))
endif
