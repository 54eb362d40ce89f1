# Installed package: written later in this file by the packaging work.
