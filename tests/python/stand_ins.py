"""Stand-ins for two modules that zato-client imports although they were never published.

Owns nothing else: the client itself is used as it was installed. Importing this module puts both in place.
"""

import sys
import types


def _stand_in(module_name, attribute):
    module = types.ModuleType(module_name)
    setattr(module, attribute, type(attribute, (), {}))
    sys.modules[module_name] = module


_stand_in('zato.vault.client', 'VAULT')
_stand_in('zato.common.odb.model', 'Server')
