"""Files of the internet and of model hubs: resumed, unpacked and checked, whole or not there.

In come the config's `downloads`; out go folders below resources/downloads and the checksums of what arrived.
"""
