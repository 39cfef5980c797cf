"""A linear regression by parameter servers. The same program runs in every task of TF_CONFIG and does what its task is for."""
import json
import os

os.environ.setdefault("GRPC_FAIL_FAST", "use_caller")  # Wait for tasks that have not started yet.

import tensorflow as tf

STEPS = 400
EVERY = 100
FOLDER = os.path.join(os.environ["ANNEAL_VOLUME"], "linear")

resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()


def examples(seed):
    """y = 3a - 2b + 1."""
    features = tf.random.stateless_normal([4096, 2], seed=[seed, 7])
    return features, tf.linalg.matvec(features, tf.constant([3.0, -2.0])) + 1.0


def loss_of(features, labels, weights, bias):
    return tf.reduce_mean(tf.square(tf.linalg.matvec(features, weights) + bias - labels))


def serve():
    tf.distribute.Server(resolver.cluster_spec(), job_name=resolver.task_type, task_index=resolver.task_id, protocol="grpc").join()


def coordinate():
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    with strategy.scope():
        weights = tf.Variable([0.0, 0.0])
        bias = tf.Variable(0.0)
    done = tf.Variable(0, dtype=tf.int64)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(weights=weights, bias=bias, done=done), FOLDER, max_to_keep=3)

    @tf.function
    def batches():
        dataset = tf.data.Dataset.from_tensor_slices(examples(1)).shuffle(4096).repeat().batch(32)
        return strategy.experimental_distribute_dataset(dataset)

    @tf.function
    def step(iterator):
        def one(features, labels):
            with tf.GradientTape() as tape:
                loss = loss_of(features, labels, weights, bias)
            for variable, gradient in zip((weights, bias), tape.gradient(loss, (weights, bias))):
                variable.assign_sub(0.02 * gradient)
            return loss

        return strategy.run(one, args=next(iterator))

    iterator = iter(coordinator.create_per_worker_dataset(batches))
    for finished in range(EVERY, STEPS + 1, EVERY):
        for _ in range(EVERY):
            coordinator.schedule(step, args=(iterator,))
        coordinator.join()
        done.assign(finished)
        manager.save(finished)
    print(json.dumps({
        "task": "chief-0",
        "cluster": {role: len(resolver.cluster_spec().job_tasks(role)) for role in resolver.cluster_spec().jobs},
        "devices": sorted({weights.device, bias.device}),
        "weights": [*weights.numpy().tolist(), float(bias.numpy())],
    }), flush=True)


def evaluate():
    features, labels = examples(2)
    for path in tf.train.checkpoints_iterator(FOLDER, min_interval_secs=1):
        saved = tf.train.load_checkpoint(path)
        value = lambda name: saved.get_tensor(f"{name}/.ATTRIBUTES/VARIABLE_VALUE")
        done = int(value("done"))
        print(json.dumps({"task": "evaluator-0", "step": done, "loss": float(loss_of(features, labels, value("weights"), value("bias")))}), flush=True)
        if done >= STEPS:
            return


{"chief": coordinate, "ps": serve, "worker": serve, "evaluator": evaluate}[resolver.task_type]()
