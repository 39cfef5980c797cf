/** Fails unless ONNX Runtime's native half works. */
import { listSupportedBackends } from 'onnxruntime-node';

process.stdout.write(listSupportedBackends().find(({ name }) => name === 'cpu')?.name ?? 'none');
