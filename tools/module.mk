# tools: the command line.  tools/main.c is novate; a folder tools/X with a main.c of its own is the
# program novate-X; every other source is in the archive both link with.
flags_tools := $(SYSTEM)
tool_mains := $(wildcard tools/*/main.c)
tool_folders := $(patsubst %main.c,%,$(tool_mains))
$(eval $(call library,tools,$(filter-out tools/main.c $(addsuffix %,$(tool_folders)), \
    $(wildcard tools/*.c tools/*/*.c))))
ifneq ($(wildcard tools/main.c),)
programs += $(BIN)/novate
$(eval $(call program,$(BIN)/novate,tools/main.c))
endif
tool_name = novate-$(notdir $(patsubst %/,%,$(1)))
programs += $(foreach f,$(tool_folders),$(BIN)/$(call tool_name,$(f)))
$(foreach f,$(tool_folders),$(eval $(call program,$(BIN)/$(call tool_name,$(f)),$(wildcard $(f)*.c))))
