#storage : the journal, rows in LMDB, the authenticated tree, snapshots.
flags_storage := $(SYSTEM)
$(eval $(call library,storage,$(wildcard storage/*.c)))
